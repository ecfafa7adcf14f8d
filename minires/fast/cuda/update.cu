// The updates of the optimizers, elementwise, for all parameters at once: they are one array, and so is their state.

// A number that a kernel gets by value; or from memory, where it can change between two launches of a CUDA graph.
template <typename T> __device__ inline T number(T value) { return value; }
template <typename T> __device__ inline T number(const double* place) { return T(*place); }

// SGD: g += decay * w;  v = momentum * v + g;  w -= lr * v, or with Nesterov lr * (g + momentum * v).
template <typename T, typename Number, bool MOMENTUM, bool NESTEROV>
__global__ void sgd(T* w, const T* g, T* v, Number rate, T momentum, T decay, long long threads) {
    long long i = thread_number();
    if (i >= threads) return;
    T lr = number<T>(rate);
    T step = g[i] + decay * w[i];
    if (MOMENTUM) {
        T velocity = momentum * v[i] + step;
        v[i] = velocity;
        step = NESTEROV ? step + momentum * velocity : velocity;
    }
    w[i] -= lr * step;
}

// Adam: m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g**2;  w -= lr * (m / m_part) / (sqrt(v / v_part) + eps). decay is added to g,
// or, if DECOUPLED, subtracted from w.
template <typename T, typename Number, bool DECOUPLED>
__global__ void adam(T* w, const T* g, T* m, T* v, Number rate, Number m_share, Number v_share, T b1, T b2, T eps, T decay,
                     long long threads) {
    long long i = thread_number();
    if (i >= threads) return;
    T lr = number<T>(rate), m_part = number<T>(m_share), v_part = number<T>(v_share);
    T weight = w[i], slope = g[i];
    if (DECOUPLED) weight -= lr * decay * weight;
    else slope += decay * weight;
    T mean = b1 * m[i] + (1 - b1) * slope, square = b2 * v[i] + (1 - b2) * slope * slope;
    m[i] = mean;
    v[i] = square;
    w[i] = weight - lr * (mean / m_part) / (sqrt(square / v_part) + eps);
}
