// im2col and col2im. columns is (N*OH*OW, KH*KW*C), images are (N, H, W, C). Rows of im2col's columns may lie further apart: `length`
// runs from one to the next, of which those after the row stay as they are.

// One thread per row of columns and V channels, of which there are `runs`: it copies the pixels in the window, position by position.
template <typename T, int V>
__global__ void im2col(const Run<T, V>* x, Run<T, V>* columns, int h, int w, int runs, int length, int oh, int ow, int kh, int kw,
                       int sh, int sw, int ph, int pw, long long threads) {
    long long i = thread_number();
    if (i >= threads) return;
    int run = i % runs;
    long long row = i / runs, rest = row / ow;
    int left = (int)(row % ow) * sw - pw, top = (int)(rest % oh) * sh - ph;
    const Run<T, V>* image = x + rest / oh * h * w * runs + run;
    Run<T, V>* out = columns + row * length + run;
    for (int u = 0; u < kh; u++)
        for (int v = 0; v < kw; v++, out += runs) {
            int y = top + u, z = left + v;
            Run<T, V> value = {};
            if (y >= 0 && y < h && z >= 0 && z < w) value = image[((long long)y * w + z) * runs];
            *out = value;
        }
}

// One thread per pixel and V channels: it adds up the entries of all windows that see the pixel, in a fixed order.
template <typename T, int V>
__global__ void col2im(const Run<T, V>* columns, Run<T, V>* image, int h, int w, int runs, int oh, int ow, int kh, int kw, int sh, int sw,
                       int ph, int pw, long long threads) {
    long long i = thread_number();
    if (i >= threads) return;
    typedef typename SumOf<T>::type S;
    int run = i % runs, places = kh * kw;
    long long pixel = i / runs, rest = pixel / w;
    int z = (int)(pixel % w) + pw, y = (int)(rest % h) + ph;  // with padding
    const Run<T, V>* rows = columns + rest / h * oh * ow * places * runs + run;
    S sum[V] = {};
    for (int u = 0; u < kh; u++) {
        int i_out = step_of_window(y, u, sh, oh);
        if (i_out < 0) continue;
        for (int v = 0; v < kw; v++) {
            int j_out = step_of_window(z, v, sw, ow);
            if (j_out < 0) continue;
            Run<T, V> value = rows[(((long long)i_out * ow + j_out) * places + u * kw + v) * runs];
            for (int k = 0; k < V; k++) sum[k] += (S)value.at[k];
        }
    }
    Run<T, V> result;
    for (int k = 0; k < V; k++) result.at[k] = (T)sum[k];
    image[i] = result;
}
