// Code that all kernels share. Images are channels last, so V neighbouring channels are one load of up to 16 bytes.

#ifdef __CUDACC__  // otherwise the code around this text defines these two
__device__ inline unsigned short float16_of(float x) {
    unsigned short bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}

__device__ inline float float_of(unsigned short float16) {
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(float16));
    return x;
}
#endif

template <typename T, int V>
struct alignas(sizeof(T) * V < 16 ? sizeof(T) * V : 16) Run {
    T at[V];
};

// Half types: kernels read them, write them, and compute in float. Both round to nearest, ties to even.
struct Float16 {
    unsigned short bits;
    Float16() = default;
    __device__ inline Float16(float x) : bits(float16_of(x)) {}
    __device__ inline operator float() const { return float_of(bits); }
};

struct Bfloat16 {
    unsigned short bits;  // the upper half of a float's
    Bfloat16() = default;
    __device__ inline Bfloat16(float x) {
#if __CUDA_ARCH__ >= 800  // which has an instruction for it
        asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
#else
        unsigned whole = __float_as_uint(x);
        bits = x != x ? 0x7fc0 : (whole + 0x7fff + (whole >> 16 & 1)) >> 16;
#endif
    }
    __device__ inline operator float() const { return __uint_as_float((unsigned)bits << 16); }
};

// The type in which numbers of type T are summed.
template <typename T> struct SumOf { typedef float type; };
template <> struct SumOf<double> { typedef double type; };

// The step of a window whose position u is at the pixel `at` (counted with padding): from 0 to steps - 1, or -1 for none.
__device__ inline int step_of_window(int at, int u, int stride, int steps) {
    int step = (at - u) / stride;
    return at < u || (at - u) % stride || step >= steps ? -1 : step;
}

// This thread's number among all of a launch's.
__device__ inline long long thread_number() {
    return blockIdx.x * (long long)blockDim.x + threadIdx.x;
}
