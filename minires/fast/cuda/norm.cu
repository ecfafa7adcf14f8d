// Batch norm: the statistics of each channel, and one pass over memory each way with the residual add and ReLU.
// An array is (M, C): M values for each of C channels, of which a thread takes V neighbours.
//
// Sums take two stages. In the first, block (i, j) of a grid adds up every GY-th row of some channels; in the second, one block
// adds up the results of the GY blocks. A block's threads form a grid of channels ("lanes") by rows ("depth"); both sizes
// are powers of two. The order is fixed, so the sums have the same bits each time.

#define THREADS 256

// Count, mean and sum of squared deviations from the mean, of the values of one channel. Means are stored relative to the
// channel's very first value: if the values are far from 0, the difference is exact, and the mean is not.
template <typename S> struct Moments {
    S count, mean, squares;
};

// Source: Chan, Golub and LeVeque 1983.
template <typename S> __device__ inline Moments<S> both(Moments<S> a, Moments<S> b) {
    S count = a.count + b.count;
    if (count == 0) return a;
    S step = b.mean - a.mean, share = b.count / count;
    return {count, a.mean + step * share, a.squares + b.squares + step * step * a.count * share};
}

template <typename S> struct Pair {
    S first, second;
};

template <typename S> __device__ inline Pair<S> both(Pair<S> a, Pair<S> b) {
    return {a.first + b.first, a.second + b.second};
}

// The results of the threads of one lane, merged in the first of them.
template <typename P, int V> __device__ void merge_depth(P (&found)[V], int lanes) {
    __shared__ P shared[THREADS];
    for (int k = 0; k < V; k++) {
        shared[threadIdx.x] = found[k];
        for (int half = blockDim.x / 2; half >= lanes; half /= 2) {
            __syncthreads();
            if (threadIdx.x < half) shared[threadIdx.x] = both(shared[threadIdx.x], shared[threadIdx.x + half]);
        }
        if (threadIdx.x < lanes) found[k] = shared[threadIdx.x];
        __syncthreads();
    }
}

template <typename T, int V>
__global__ void stats_of_rows(const Run<T, V>* x, Moments<typename SumOf<T>::type>* found, long long m, int runs, int lanes) {
    typedef typename SumOf<T>::type S;
    int run = blockIdx.x * lanes + threadIdx.x % lanes, depth = blockDim.x / lanes;
    Moments<S> moments[V] = {};
    if (run < runs) {
        S base[V], sum[V] = {}, squares[V] = {}, count = 0;  // of differences from this thread's first value
        for (long long row = blockIdx.y * (long long)depth + threadIdx.x / lanes; row < m; row += gridDim.y * (long long)depth) {
            Run<T, V> value = x[row * runs + run];
            for (int k = 0; k < V; k++) {
                if (count == 0) base[k] = (S)value.at[k];
                S distance = (S)value.at[k] - base[k];
                sum[k] += distance;
                squares[k] += distance * distance;
            }
            count += 1;
        }
        if (count > 0) {
            Run<T, V> first = x[run];
            for (int k = 0; k < V; k++) {
                S rest = squares[k] - sum[k] * sum[k] / count;
                moments[k] = {count, (base[k] - (S)first.at[k]) + sum[k] / count, rest > 0 || rest != rest ? rest : (S)0};
            }
        }
    }
    merge_depth(moments, lanes);
    if (threadIdx.x < lanes && run < runs)
        for (int k = 0; k < V; k++) found[(blockIdx.y * (long long)runs + run) * V + k] = moments[k];
}

// Both second stages: parts (GY, C) -> one for each channel.
template <typename P> __device__ P merged(const P* found, int parts, int channels, int lanes) {
    int channel = blockIdx.x * lanes + threadIdx.x % lanes;
    P total[1] = {};
    if (channel < channels)
        for (int part = threadIdx.x / lanes; part < parts; part += blockDim.x / lanes)
            total[0] = both(total[0], found[part * (long long)channels + channel]);
    merge_depth(total, lanes);
    return total[0];
}

template <typename T>
__global__ void stats_of_parts(const Moments<typename SumOf<T>::type>* found, const T* x, typename SumOf<T>::type* mean,
                               typename SumOf<T>::type* var, int parts, int channels, int lanes) {
    typedef typename SumOf<T>::type S;
    Moments<S> total = merged(found, parts, channels, lanes);
    int channel = blockIdx.x * lanes + threadIdx.x;
    if (threadIdx.x < lanes && channel < channels) {
        mean[channel] = (S)x[channel] + total.mean;
        var[channel] = total.squares / total.count;
    }
}

// running = (1 - momentum) running + momentum batch, with the unbiased variance: var * unbiased.
template <typename S>
__global__ void moved_statistics(S* running_mean, S* running_var, const S* mean, const S* var, S momentum, S unbiased, long long threads) {
    long long i = thread_number();
    if (i >= threads) return;
    running_mean[i] = running_mean[i] * (1 - momentum) + momentum * mean[i];
    running_var[i] = running_var[i] * (1 - momentum) + momentum * (var[i] * unbiased);
}

// Sums over each channel of g and of g * (x - mean), where g is taken as 0 if `above` is not more than 0.
template <typename T, int V, bool RELU>
__global__ void gradient_sums_of_rows(const Run<T, V>* g, const Run<T, V>* above, const Run<T, V>* x, const typename SumOf<T>::type* mean,
                                      Pair<typename SumOf<T>::type>* found, long long m, int runs, int lanes) {
    typedef typename SumOf<T>::type S;
    int run = blockIdx.x * lanes + threadIdx.x % lanes, depth = blockDim.x / lanes;
    Pair<S> sums[V] = {};
    if (run < runs) {
        S center[V];
        for (int k = 0; k < V; k++) center[k] = mean[run * V + k];
        for (long long row = blockIdx.y * (long long)depth + threadIdx.x / lanes; row < m; row += gridDim.y * (long long)depth) {
            long long i = row * runs + run;
            Run<T, V> g_run = g[i], x_run = x[i], above_run = {};
            if (RELU) above_run = above[i];
            for (int k = 0; k < V; k++) {
                S g_k = (S)g_run.at[k] * (S)(!RELU || (S)above_run.at[k] > 0);
                sums[k].first += g_k;
                sums[k].second += g_k * ((S)x_run.at[k] - center[k]);
            }
        }
    }
    merge_depth(sums, lanes);
    if (threadIdx.x < lanes && run < runs)
        for (int k = 0; k < V; k++) found[(blockIdx.y * (long long)runs + run) * V + k] = sums[k];
}

// g_beta and g_gamma, and the terms subtracted from each g because the mean and the variance depend on x.
template <typename S>
__global__ void gradient_sums_of_parts(const Pair<S>* found, const S* gamma, const S* var, S eps, S* g_beta, S* g_gamma, S* push, S* pull,
                                       S m, int parts, int channels, int lanes) {
    Pair<S> total = merged(found, parts, channels, lanes);
    int channel = blockIdx.x * lanes + threadIdx.x;
    if (threadIdx.x < lanes && channel < channels) {
        S scale = 1 / sqrt(var[channel] + eps), slope = gamma[channel] * scale;
        g_beta[channel] = total.first;
        g_gamma[channel] = total.second * scale;
        push[channel] = slope * total.first / m;
        pull[channel] = slope * scale * scale * total.second / m;
    }
}

// y = max((x - mean) / sqrt(var + eps) * gamma + beta + add, 0)
template <typename T, int V, bool ADD, bool RELU>
__global__ void normalise(const Run<T, V>* x, const Run<T, V>* add, Run<T, V>* y, const typename SumOf<T>::type* mean,
                          const typename SumOf<T>::type* var, const typename SumOf<T>::type* gamma, const typename SumOf<T>::type* beta,
                          typename SumOf<T>::type eps, int runs, long long threads) {
    typedef typename SumOf<T>::type S;
    long long i = thread_number();
    if (i >= threads) return;
    int channel = i % runs * V;
    Run<T, V> value = x[i], more = {}, result;
    if (ADD) more = add[i];
    for (int k = 0; k < V; k++, channel++) {
        S slope = gamma[channel] / sqrt(var[channel] + eps);
        S sum = ((S)value.at[k] - mean[channel]) * slope + beta[channel];
        if (ADD) sum += (S)more.at[k];
        result.at[k] = (T)(!RELU || sum > 0 || sum != sum ? sum : (S)0);
    }
    y[i] = result;
}

// g_x = g * gamma / sqrt(var + eps) - push - (x - mean) * pull, where g is taken as 0 if `above` is not more than 0: g_sum.
template <typename T, int V, bool RELU, bool MOVING, bool SUM>
__global__ void normalise_backward(const Run<T, V>* g, const Run<T, V>* above, const Run<T, V>* x, Run<T, V>* g_x, Run<T, V>* g_sum,
                                   const typename SumOf<T>::type* mean, const typename SumOf<T>::type* var,
                                   const typename SumOf<T>::type* gamma, const typename SumOf<T>::type* push,
                                   const typename SumOf<T>::type* pull, typename SumOf<T>::type eps, int runs, long long threads) {
    typedef typename SumOf<T>::type S;
    long long i = thread_number();
    if (i >= threads) return;
    int channel = i % runs * V;
    Run<T, V> g_run = g[i], x_run = {}, above_run = {}, result, sum;
    if (MOVING) x_run = x[i];
    if (RELU) above_run = above[i];
    for (int k = 0; k < V; k++, channel++) {
        S g_k = (S)g_run.at[k] * (S)(!RELU || (S)above_run.at[k] > 0), out = g_k * gamma[channel] / sqrt(var[channel] + eps);
        if (MOVING) out = out - push[channel] - ((S)x_run.at[k] - mean[channel]) * pull[channel];
        result.at[k] = (T)out;
        sum.at[k] = (T)g_k;
    }
    g_x[i] = result;
    if (SUM) g_sum[i] = sum;
}
