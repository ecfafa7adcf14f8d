// Softmax cross entropy. One thread per example (N), with K classes.

// difference = softmax(logits) - target, and each example's loss; the target is 1 - smoothing at the label, plus smoothing / K
// everywhere. An impossible class (-inf) that is not the target costs nothing. A label out of range gives NaN.
template <typename T, typename L>
__global__ void cross_entropy(const T* logits, const L* labels, typename SumOf<T>::type* difference, typename SumOf<T>::type* losses,
                              typename SumOf<T>::type smoothing, int k, long long threads) {
    typedef typename SumOf<T>::type S;
    long long i = thread_number();
    if (i >= threads) return;
    const T* row = logits + i * k;
    S largest = (S)row[0], sum = 0, loss = 0;
    for (int j = 1; j < k; j++) {
        S value = (S)row[j];
        if (value > largest || value != value) largest = value;
    }
    for (int j = 0; j < k; j++) sum += exp((S)row[j] - largest);
    S log_sum = log(sum);
    long long label = (long long)labels[i];
    if (label < 0 || label >= k) log_sum = log((S)-1);  // NaN, for which NVRTC has no name
    for (int j = 0; j < k; j++) {
        S log_p = (S)row[j] - largest - log_sum, target = smoothing / k + (j == label ? 1 - smoothing : (S)0);
        difference[i * k + j] = exp(log_p) - target;
        if (target > 0 || log_p != log_p) loss -= target * log_p;
    }
    losses[i] = loss;
}
