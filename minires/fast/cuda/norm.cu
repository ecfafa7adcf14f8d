// Batch norm: the statistics of each channel, and one pass over memory each way with the residual add and ReLU.
// An array is (M, C): M rows, each of C channels or of `runs` runs of V neighbouring channels. A thread takes one run in several
// rows, `apart` runs apart, and reads what belongs to its channels only once. Neighbouring threads take neighbouring runs.
//
// Sums take two stages. In the first, block (i, j) of a grid adds up every GY-th row of some channels; in the second, one block
// adds up the results of the GY blocks: the parts. A block's threads form a grid of channels ("lanes") by rows ("depth"); both
// sizes are powers of two. The order is fixed, so the sums have the same bits each time.

#define THREADS 256

template <typename T> using Sum = typename SumOf<T>::type;
template <typename T, int V> using Vector = Run<Sum<T>, V>;  // a number for each channel of a run

// How many rows a thread takes from its first run, i, on: `most` of them, or one fewer.
__device__ inline int rows_from(long long i, long long apart, long long size, int most) {
    return i + (most - 1) * apart < size ? most : most - 1;
}

// Where a thread of a first stage begins, and how far apart its rows are.
struct Walk {
    int run, rows;
    long long i, apart;
};

__device__ inline Walk first_stage(long long size, int runs, int lanes, int most) {
    int run = blockIdx.x * lanes + threadIdx.x % lanes, depth = blockDim.x / lanes;
    long long i = (blockIdx.y * (long long)depth + threadIdx.x / lanes) * runs + run, apart = gridDim.y * (long long)depth * runs;
    return {run, run < runs ? rows_from(i, apart, size, most) : 0, i, apart};
}

// Replaces each of V numbers by its sum over the threads of one lane, in all of them.
template <typename S, int V> __device__ void sum_over_depth(S (&numbers)[V], int lanes) {
    __shared__ S shared[V][THREADS];
    for (int k = 0; k < V; k++) shared[k][threadIdx.x] = numbers[k];
    for (int half = blockDim.x / 2; half >= lanes; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half)
            for (int k = 0; k < V; k++) shared[k][threadIdx.x] += shared[k][threadIdx.x + half];
    }
    __syncthreads();
    for (int k = 0; k < V; k++) numbers[k] = shared[k][threadIdx.x % lanes];
    __syncthreads();
}

// Parts (GY, 3, C): count, mean and sum of squared deviations from the mean. Means are stored relative to the channel's very
// first value: if the values are far from 0, the difference is exact, and the mean is not.
// Source: Chan, Golub and LeVeque 1983.
template <typename T, int V>
__global__ void stats_of_rows(const Run<T, V>* x, Vector<T, V>* parts, long long size, int runs, int lanes, int most) {
    typedef Sum<T> S;
    Walk walk = first_stage(size, runs, lanes, most);
    S count[1] = {(S)walk.rows};
    Vector<T, V> mean = {}, sum = {}, squares = {};
    if (walk.rows > 0) {
        Run<T, V> first = x[walk.run], base = x[walk.i];  // sums are of differences from the thread's own first value
#pragma unroll 4
        for (int row = 0; row < walk.rows; row++) {
            Run<T, V> value = x[walk.i + row * walk.apart];
            for (int k = 0; k < V; k++) {
                S distance = (S)value.at[k] - (S)base.at[k];
                sum.at[k] += distance;
                squares.at[k] += distance * distance;
            }
        }
        S share = 1 / count[0];
        for (int k = 0; k < V; k++) {
            S rest = squares.at[k] - sum.at[k] * sum.at[k] * share;
            squares.at[k] = rest < 0 ? (S)0 : rest;
            mean.at[k] = ((S)base.at[k] - (S)first.at[k]) + sum.at[k] * share;
            sum.at[k] = mean.at[k] * count[0];
        }
    }
    sum_over_depth(count, lanes);
    sum_over_depth(sum.at, lanes);
    S share = 1 / count[0];
    for (int k = 0; k < V; k++) {
        sum.at[k] *= share;
        squares.at[k] += walk.rows * (mean.at[k] - sum.at[k]) * (mean.at[k] - sum.at[k]);
    }
    sum_over_depth(squares.at, lanes);
    if (threadIdx.x >= lanes || walk.run >= runs) return;
    Vector<T, V>* part = parts + blockIdx.y * 3LL * runs + walk.run;
    for (int k = 0; k < V; k++) mean.at[k] = count[0];
    part[0] = mean;
    part[runs] = sum;
    part[2 * runs] = squares;
}

template <typename S> __device__ inline void move(S& running, S batch, S momentum) {
    running = running * (1 - momentum) + momentum * batch;
}

// With MOVE, the running statistics move towards the batch's; running_var takes the unbiased variance.
template <typename T, bool MOVE>
__global__ void stats_of_parts(const Sum<T>* parts, const T* x, Sum<T>* mean, Sum<T>* var, Sum<T>* running_mean, Sum<T>* running_var,
                               Sum<T> momentum, Sum<T> m, int count, int channels, int lanes) {
    typedef Sum<T> S;
    int channel = blockIdx.x * lanes + threadIdx.x % lanes, depth = blockDim.x / lanes, own = channel < channels ? count : 0;
    S sum[1] = {}, squares[1] = {};
#pragma unroll 4
    for (int part = threadIdx.x / lanes; part < own; part += depth) {
        const S* at = parts + part * 3LL * channels + channel;
        sum[0] += at[0] * at[channels];
    }
    sum_over_depth(sum, lanes);
    S middle = sum[0] / m;
#pragma unroll 4
    for (int part = threadIdx.x / lanes; part < own; part += depth) {
        const S* at = parts + part * 3LL * channels + channel;
        S step = at[channels] - middle;
        squares[0] += at[2 * channels] + at[0] * step * step;
    }
    sum_over_depth(squares, lanes);
    if (threadIdx.x >= lanes || channel >= channels) return;
    mean[channel] = (S)x[channel] + middle;
    var[channel] = squares[0] / m;
    if (!MOVE) return;
    move(running_mean[channel], mean[channel], momentum);
    move(running_var[channel], squares[0] / (m - 1), momentum);
}

// The same for statistics computed elsewhere; var * unbiased is the unbiased variance.
template <typename S>
__global__ void moved_statistics(S* running_mean, S* running_var, const S* mean, const S* var, S momentum, S unbiased, long long threads) {
    long long i = thread_number();
    if (i >= threads) return;
    move(running_mean[i], mean[i], momentum);
    move(running_var[i], var[i] * unbiased, momentum);
}

// Parts (GY, 2, C): sums of g and of g * (x - mean), where g is taken as 0 if `above` is not more than 0.
template <typename T, int V, bool RELU>
__global__ void gradient_sums_of_rows(const Run<T, V>* g, const Run<T, V>* above, const Run<T, V>* x, const Vector<T, V>* mean,
                                      Vector<T, V>* parts, long long size, int runs, int lanes, int most) {
    typedef Sum<T> S;
    Walk walk = first_stage(size, runs, lanes, most);
    Vector<T, V> sum = {}, product = {};
    if (walk.rows > 0) {
        Vector<T, V> center = mean[walk.run];
#pragma unroll 4
        for (int row = 0; row < walk.rows; row++) {
            long long i = walk.i + row * walk.apart;
            Run<T, V> g_run = g[i], x_run = x[i], above_run = {};
            if (RELU) above_run = above[i];
            for (int k = 0; k < V; k++) {
                S g_k = (S)g_run.at[k] * (S)(!RELU || (S)above_run.at[k] > 0);
                sum.at[k] += g_k;
                product.at[k] += g_k * ((S)x_run.at[k] - center.at[k]);
            }
        }
    }
    sum_over_depth(sum.at, lanes);
    sum_over_depth(product.at, lanes);
    if (threadIdx.x >= lanes || walk.run >= runs) return;
    Vector<T, V>* part = parts + blockIdx.y * 2LL * runs + walk.run;
    part[0] = sum;
    part[runs] = product;
}

// g_beta and g_gamma; and terms (3, C) for g_x = g * slope - push - (x - mean) * pull. push and pull are there because the mean
// and the variance depend on x.
template <typename S>
__global__ void gradient_sums_of_parts(const S* parts, const S* gamma, const S* var, S eps, S* g_beta, S* g_gamma, S* terms, S m,
                                       int count, int channels, int lanes) {
    int channel = blockIdx.x * lanes + threadIdx.x % lanes, own = channel < channels ? count : 0;
    S sums[2] = {};
#pragma unroll 4
    for (int part = threadIdx.x / lanes; part < own; part += blockDim.x / lanes)
        for (int k = 0; k < 2; k++) sums[k] += parts[(2LL * part + k) * channels + channel];
    sum_over_depth(sums, lanes);
    if (threadIdx.x >= lanes || channel >= channels) return;
    S scale = 1 / sqrt(var[channel] + eps), slope = gamma[channel] * scale;
    g_beta[channel] = sums[0];
    g_gamma[channel] = sums[1] * scale;
    terms[channel] = slope;
    terms[channels + channel] = slope * sums[0] / m;
    terms[2 * channels + channel] = slope * scale * scale * sums[1] / m;
}

// y = max((x - mean) / sqrt(var + eps) * gamma + beta + add, 0)
template <typename T, int V, bool ADD, bool RELU>
__global__ void normalise(const Run<T, V>* __restrict__ x, const Run<T, V>* __restrict__ add, Run<T, V>* __restrict__ y,
                          const Vector<T, V>* mean, const Vector<T, V>* var, const Vector<T, V>* gamma, const Vector<T, V>* beta,
                          Sum<T> eps, long long size, int runs, int most, long long apart) {
    long long i = thread_number();
    if (i >= apart) return;
    int run = (unsigned)i % runs, rows = rows_from(i, apart, size, most);
    Vector<T, V> center = mean[run], slope = gamma[run], offset = beta[run], spread = var[run];
    for (int k = 0; k < V; k++) slope.at[k] *= rsqrt(spread.at[k] + eps);
#pragma unroll 4
    for (int row = 0; row < rows; row++, i += apart) {
        Run<T, V> value = x[i], more = {}, result;
        if (ADD) more = add[i];
        for (int k = 0; k < V; k++) {
            Sum<T> sum = ((Sum<T>)value.at[k] - center.at[k]) * slope.at[k] + offset.at[k];
            if (ADD) sum += (Sum<T>)more.at[k];
            result.at[k] = (T)(RELU && sum <= 0 ? (Sum<T>)0 : sum);
        }
        y[i] = result;
    }
}

// g_x, from the terms above, where g is taken as 0 if `above` is not more than 0: g_sum.
template <typename T, int V, bool RELU, bool MOVING, bool SUM>
__global__ void normalise_backward(const Run<T, V>* __restrict__ g, const Run<T, V>* __restrict__ above, const Run<T, V>* __restrict__ x,
                                   Run<T, V>* __restrict__ g_x, Run<T, V>* __restrict__ g_sum, const Vector<T, V>* mean,
                                   const Vector<T, V>* terms, long long size, int runs, int most, long long apart) {
    long long i = thread_number();
    if (i >= apart) return;
    int run = (unsigned)i % runs, rows = rows_from(i, apart, size, most);
    Vector<T, V> slope = terms[run], push = terms[runs + run], pull = terms[2 * runs + run], center = mean[run];
#pragma unroll 4
    for (int row = 0; row < rows; row++, i += apart) {
        Run<T, V> g_run = g[i], x_run = {}, above_run = {}, result, sum;
        if (MOVING) x_run = x[i];
        if (RELU) above_run = above[i];
        for (int k = 0; k < V; k++) {
            Sum<T> g_k = (Sum<T>)g_run.at[k] * (Sum<T>)(!RELU || (Sum<T>)above_run.at[k] > 0), out = g_k * slope.at[k];
            if (MOVING) out = out - push.at[k] - ((Sum<T>)x_run.at[k] - center.at[k]) * pull.at[k];
            result.at[k] = (T)out;
            sum.at[k] = (T)g_k;
        }
        g_x[i] = result;
        if (SUM) g_sum[i] = sum;
    }
}
