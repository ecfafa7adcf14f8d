// Images of a batch, picked from all images (uint8 or other types), shifted, cut out and normalised on the GPU.

// One thread per element of the result (N, H, W, C). chosen has the indices of the images; moves is (N, 5): the shift down and
// across, 1 to mirror, and the corner of the square that becomes black.
template <typename T, typename I>
__global__ void pick(const T* images, const I* chosen, const int* moves, const float* factor, const float* offset, float* x, int h, int w,
                     int c, int cutout, long long threads) {
    long long i = thread_number();
    if (i >= threads) return;
    int channel = i % c, column = i / c % w, row = i / c / w % h;
    long long n = i / c / w / h;
    const int* move = moves + n * 5;
    int y = row + move[0], z = (move[2] ? w - 1 - column : column) + move[1];
    bool seen = y >= 0 && y < h && z >= 0 && z < w;
    if (row >= move[3] && row < move[3] + cutout && column >= move[4] && column < move[4] + cutout) seen = false;
    float value = seen ? (float)images[(((long long)chosen[n] * h + y) * w + z) * c + channel] : 0;
    x[i] = value * factor[channel] + offset[channel];
}
