// Enough of CUDA to run a kernel on the processor: the threads of a block take turns, each until it reaches __syncthreads,
// and the blocks follow one another, so that what they share may be static.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ucontext.h>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __shared__ static
#define __restrict__

using std::exp;
using std::log;
using std::sqrt;

template <typename S> static S rsqrt(S x) {
    return 1 / sqrt(x);
}

struct Three {
    unsigned x = 0, y = 0, z = 0;
};
static Three threadIdx, blockIdx, blockDim, gridDim;

static unsigned __float_as_uint(float x) {
    unsigned bits;
    memcpy(&bits, &x, sizeof x);
    return bits;
}

static float __uint_as_float(unsigned bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static unsigned short float16_of(float x) {
    _Float16 half = (_Float16)x;
    unsigned short bits;
    memcpy(&bits, &half, sizeof half);
    return bits;
}

static float float_of(unsigned short bits) {
    _Float16 half;
    memcpy(&half, &bits, sizeof half);
    return (float)half;
}

namespace shim {
static ucontext_t scheduler;
static std::vector<ucontext_t> fibers;
static std::vector<char> done, stacks;
static int current;
static constexpr int STACK = 1 << 16;
static void (*body)(void**);
static void** arguments;

template <class... A, size_t... I> void unpacked(void (*kernel)(A...), void** a, std::index_sequence<I...>) {
    kernel(*(A*)a[I]...);
}

static void run() {
    body(arguments);
    done[current] = 1;
    swapcontext(&fibers[current], &scheduler);
}

static void block() {
    int threads = blockDim.x, waiting = threads;
    fibers.assign(threads, {});
    done.assign(threads, 0);
    stacks.resize((size_t)threads * STACK);
    for (int t = 0; t < threads; t++) {
        getcontext(&fibers[t]);
        fibers[t].uc_stack.ss_sp = &stacks[(size_t)t * STACK];
        fibers[t].uc_stack.ss_size = STACK;
        makecontext(&fibers[t], run, 0);
    }
    while (waiting) {  // each goes on to the next __syncthreads, or to its end
        int before = waiting, left = 0;
        for (int t = 0; t < threads; t++) {
            if (done[t]) continue;
            current = t;
            threadIdx.x = t;
            swapcontext(&scheduler, &fibers[t]);
            left += !done[t];
        }
        waiting = left;
        if (waiting && waiting != before) {  // on a card that is undefined
            fprintf(stderr, "%d of %d threads left the kernel before __syncthreads\n", before - waiting, before);
            abort();
        }
    }
}

static void launch(int gx, int gy, int threads) {
    gridDim = {(unsigned)gx, (unsigned)gy, 1};
    blockDim = {(unsigned)threads, 1, 1};
    for (int y = 0; y < gy; y++)
        for (int x = 0; x < gx; x++) {
            blockIdx = {(unsigned)x, (unsigned)y, 0};
            block();
        }
}
}  // namespace shim

static void __syncthreads() {
    swapcontext(&shim::fibers[shim::current], &shim::scheduler);
}
