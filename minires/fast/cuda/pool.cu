// Max pooling. Images are (N, H, W, C); place (N, OH, OW, C) is the position of each result in its window, in row order.

// One thread per result. The first of equals wins; a NaN wins over all before it.
template <typename T, typename P>
__global__ void max_pool(const T* x, T* y, P* place, int h, int w, int c, int oh, int ow, int kh, int kw, int sh, int sw,
                         int ph, int pw, long long threads) {
    long long i = thread_number();
    if (i >= threads) return;
    long long pixel = i / c, rest = pixel / ow;
    int left = (int)(pixel % ow) * sw - pw, top = (int)(rest % oh) * sh - ph;
    const T* image = x + rest / oh * h * w * c + i % c;
    bool found = false;
    T best = (T)0;
    int where = 0;
    for (int u = top < 0 ? -top : 0; u < kh && top + u < h; u++)
        for (int v = left < 0 ? -left : 0; v < kw && left + v < w; v++) {
            T value = image[((long long)(top + u) * w + left + v) * c];
            if (!found || value > best || value != value) {
                found = true;
                best = value;
                where = u * kw + v;
            }
        }
    y[i] = best;
    place[i] = (P)where;
}

// One thread per pixel: it adds up the gradients of the windows in which it was the largest.
template <typename T, typename P>
__global__ void max_pool_backward(const T* g, const P* place, T* g_x, int h, int w, int c, int oh, int ow, int kh, int kw,
                                  int sh, int sw, int ph, int pw, long long threads) {
    long long i = thread_number();
    if (i >= threads) return;
    long long pixel = i / c, rest = pixel / w;
    int z = (int)(pixel % w) + pw, y = (int)(rest % h) + ph;  // with padding
    long long image = rest / h * oh * ow * c + i % c;
    typename SumOf<T>::type sum = 0;
    for (int u = 0; u < kh; u++) {
        int i_out = step_of_window(y, u, sh, oh);
        if (i_out < 0) continue;
        for (int v = 0; v < kw; v++) {
            int j_out = step_of_window(z, v, sw, ow);
            if (j_out < 0) continue;
            long long at = image + ((long long)i_out * ow + j_out) * c;
            if ((int)place[at] == u * kw + v) sum += (typename SumOf<T>::type)g[at];
        }
    }
    g_x[i] = (T)sum;
}
