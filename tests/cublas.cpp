// What cuBLAS does, on the processor: a handle with a stream and a workspace, and products of float and double, column by column.
#include <cstddef>

typedef long long Long;
struct Handle { void* stream; void* workspace; size_t bytes; Long products; };
static int alive = 0;

template <typename T>
static void multiply(int way_a, int way_b, int m, int n, int k, const T* alpha, const T* a, int apart_a, const T* b, int apart_b,
                     const T* beta, T* c, int apart_c) {
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            T sum = 0;
            for (int l = 0; l < k; l++)
                sum += (way_a ? a[l + (Long)i * apart_a] : a[i + (Long)l * apart_a])
                     * (way_b ? b[j + (Long)l * apart_b] : b[l + (Long)j * apart_b]);
            T& place = c[i + (Long)j * apart_c];
            place = *alpha * sum + (*beta == 0 ? 0 : *beta * place);
        }
}

// The functions below do not call each other, as the real library may be loaded, too.
static int products(Handle* handle, int way_a, int way_b, int m, int n, int k, const void* alpha,
                               const void* a, int kind_a, int apart_a, Long next_a, const void* b, int kind_b, int apart_b, Long next_b,
                               const void* beta, void* c, int kind_c, int apart_c, Long next_c, int count, int compute, int algorithm) {
    if (!handle->stream || !handle->workspace || handle->bytes != (size_t)32 << 20) return 1;
    if (kind_a != kind_b || kind_a != kind_c || kind_a > 1) return 15;
    if (m < 1 || n < 1 || k < 1 || count < 1 || algorithm != -1) return 7;
    if (kind_a == 0 ? compute != 68 && compute != 77 : compute != 70) return 7;
    handle->products += count;
    for (int i = 0; i < count; i++) {
        if (kind_a == 0)
            multiply(way_a, way_b, m, n, k, (const float*)alpha, (const float*)a + i * next_a, apart_a, (const float*)b + i * next_b, apart_b,
                     (const float*)beta, (float*)c + i * next_c, apart_c);
        else
            multiply(way_a, way_b, m, n, k, (const double*)alpha, (const double*)a + i * next_a, apart_a, (const double*)b + i * next_b,
                     apart_b, (const double*)beta, (double*)c + i * next_c, apart_c);
    }
    return 0;
}

extern "C" {
int handles_alive() { return alive; }
int cublasCreate_v2(Handle** handle) { *handle = new Handle{nullptr, nullptr, 0, 0}; alive++; return 0; }
int cublasDestroy_v2(Handle* handle) { delete handle; alive--; return 0; }
int cublasSetStream_v2(Handle* handle, void* stream) {
    handle->stream = stream;
    handle->workspace = nullptr;  // as cuBLAS does
    handle->bytes = 0;
    return 0;
}
int cublasSetWorkspace_v2(Handle* handle, void* workspace, size_t bytes) {
    handle->workspace = workspace;
    handle->bytes = bytes;
    return 0;
}
int cublasGemmStridedBatchedEx(Handle* handle, int way_a, int way_b, int m, int n, int k, const void* alpha,
                               const void* a, int kind_a, int apart_a, Long next_a, const void* b, int kind_b, int apart_b, Long next_b,
                               const void* beta, void* c, int kind_c, int apart_c, Long next_c, int count, int compute, int algorithm) {
    return products(handle, way_a, way_b, m, n, k, alpha, a, kind_a, apart_a, next_a, b, kind_b, apart_b, next_b, beta,
                    c, kind_c, apart_c, next_c, count, compute, algorithm);
}
int cublasGemmEx(Handle* handle, int way_a, int way_b, int m, int n, int k, const void* alpha, const void* a, int kind_a, int apart_a,
                 const void* b, int kind_b, int apart_b, const void* beta, void* c, int kind_c, int apart_c, int compute, int algorithm) {
    return products(handle, way_a, way_b, m, n, k, alpha, a, kind_a, apart_a, 0, b, kind_b, apart_b, 0, beta,
                    c, kind_c, apart_c, 0, 1, compute, algorithm);
}
}
