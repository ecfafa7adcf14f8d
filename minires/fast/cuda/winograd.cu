// Winograd's convolution: maps from images to tiles and back, and of filters. Tiled, images are (K, K, TH, TW, N, C), filters (K, K, C, F);
// so the elements of a tile are `apart` elements from each other, and neighbouring threads work on neighbouring channels.
//
// The matrices A, B, G and the transposes AT, GT are defined before this text: ROWS, COLS and at(i, j), which is a constant
// once loops are unrolled. M, P and STEP are a tile's output pixels, input pixels and the input pixels from one tile to the next.

// out = L d L'
template <typename L, typename S> __device__ inline void both_sides(const S (&d)[L::COLS][L::COLS], S (&out)[L::ROWS][L::ROWS]) {
    S half[L::ROWS][L::COLS];
#pragma unroll
    for (int i = 0; i < L::ROWS; i++)
#pragma unroll
        for (int j = 0; j < L::COLS; j++) {
            S sum = 0;
#pragma unroll
            for (int k = 0; k < L::COLS; k++)
                if (L::at(i, k) != 0) sum += (S)L::at(i, k) * d[k][j];
            half[i][j] = sum;
        }
#pragma unroll
    for (int i = 0; i < L::ROWS; i++)
#pragma unroll
        for (int j = 0; j < L::ROWS; j++) {
            S sum = 0;
#pragma unroll
            for (int k = 0; k < L::COLS; k++)
                if (L::at(j, k) != 0) sum += (S)L::at(j, k) * half[i][k];
            out[i][j] = sum;
        }
}

template <typename S, int SIZE> __device__ inline void read(S (&d)[SIZE][SIZE], const S* from, long long apart) {
#pragma unroll
    for (int i = 0; i < SIZE; i++)
#pragma unroll
        for (int j = 0; j < SIZE; j++) d[i][j] = from[(i * SIZE + j) * apart];
}

template <typename S, int SIZE> __device__ inline void write(const S (&d)[SIZE][SIZE], S* to, long long apart) {
#pragma unroll
    for (int i = 0; i < SIZE; i++)
#pragma unroll
        for (int j = 0; j < SIZE; j++) to[(i * SIZE + j) * apart] = d[i][j];
}

// The tile and channel of this thread, from its number in (TH, TW, N, C).
struct Place {
    int channel, image, across, down;
    __device__ inline Place(long long i, int tw, int n, int c) {
        channel = i % c;
        long long rest = i / c;
        image = rest % n;
        rest /= n;
        across = rest % tw;
        down = rest / tw;
    }
};

// SIZE x SIZE pixels of one channel of an image, starting at (top, left); pixels beyond its edges read as 0, and are not written.
template <typename S, int SIZE>
__device__ inline void read_image(S (&d)[SIZE][SIZE], const S* image, int top, int left, int h, int w, int c) {
#pragma unroll
    for (int u = 0; u < SIZE; u++)
#pragma unroll
        for (int k = 0; k < SIZE; k++) {
            int y = top + u, z = left + k;
            d[u][k] = y >= 0 && y < h && z >= 0 && z < w ? image[((long long)y * w + z) * c] : (S)0;
        }
}

template <typename S, int SIZE>
__device__ inline void write_image(const S (&d)[SIZE][SIZE], S* image, int top, int left, int h, int w, int c) {
#pragma unroll
    for (int u = 0; u < SIZE; u++)
#pragma unroll
        for (int k = 0; k < SIZE; k++) {
            int y = top + u, z = left + k;
            if (y >= 0 && y < h && z >= 0 && z < w) image[((long long)y * w + z) * c] = d[u][k];
        }
}

// B x B'
template <typename S>
__global__ void tile_images(const S* x, S* v, int n, int h, int w, int c, int tw, int ph, int pw, long long threads) {
    long long i = thread_number();
    if (i >= threads) return;
    Place at(i, tw, n, c);
    const S* image = x + (long long)at.image * h * w * c + at.channel;
    S d[P][P], out[B::ROWS][B::ROWS];
    read_image(d, image, at.down * STEP - ph, at.across * STEP - pw, h, w, c);
    both_sides<B>(d, out);
    write(out, v + i, threads);
}

// A product A', cut to (N, OH, OW, F)
template <typename S>
__global__ void untile(const S* product, S* y, int n, int oh, int ow, int f, int tw, long long threads) {
    long long i = thread_number();
    if (i >= threads) return;
    Place at(i, tw, n, f);
    S d[A::COLS][A::COLS], out[M][M];
    read(d, product + i, threads);
    both_sides<A>(d, out);
    S* image = y + (long long)at.image * oh * ow * f + at.channel;
    write_image(out, image, at.down * M, at.across * M, oh, ow, f);
}

// A' g A
template <typename S>
__global__ void tile_gradient(const S* g, S* product, int n, int oh, int ow, int f, int tw, long long threads) {
    long long i = thread_number();
    if (i >= threads) return;
    Place at(i, tw, n, f);
    const S* image = g + (long long)at.image * oh * ow * f + at.channel;
    S d[M][M], out[A::COLS][A::COLS];
    read_image(d, image, at.down * M, at.across * M, oh, ow, f);
    both_sides<AT>(d, out);
    write(out, product + i, threads);
}

// G w G': (3, 3, C, F) to (K, K, C, F)
template <typename S> __global__ void tile_filters(const S* weight, S* u, long long threads) {
    long long i = thread_number();
    if (i >= threads) return;
    S d[3][3], out[G::ROWS][G::ROWS];
    read(d, weight + i, threads);
    both_sides<G>(d, out);
    write(out, u + i, threads);
}

// G' g_u G
template <typename S> __global__ void untile_filters(const S* g_u, S* g_weight, long long threads) {
    long long i = thread_number();
    if (i >= threads) return;
    S d[G::ROWS][G::ROWS], out[3][3];
    read(d, g_u + i, threads);
    both_sides<GT>(d, out);
    write(out, g_weight + i, threads);
}
