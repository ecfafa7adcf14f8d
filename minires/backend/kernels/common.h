// What all kernels share. Images are channels last, so V neighbouring channels are one load of up to 16 bytes.

template <typename T, int V>
struct alignas(sizeof(T) * V) Run {
    T at[V];
};

// The type in which numbers of type T are added up.
template <typename T> struct SumOf { typedef float type; };
template <> struct SumOf<double> { typedef double type; };

// Which step of a window has its place u at the pixel `at` (counted with the frame): from 0 to steps - 1, or -1 for none.
__device__ inline int step_of_window(int at, int u, int stride, int steps) {
    int step = (at - u) / stride;
    return at < u || (at - u) % stride || step >= steps ? -1 : step;
}

// This thread's number among all of a launch's.
__device__ inline long long thread_number() {
    return blockIdx.x * (long long)blockDim.x + threadIdx.x;
}
