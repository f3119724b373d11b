// Attention of each sequence within itself on tensor cores, for f16 and bf16 and heads of up to
// 128. A block is 64 queries of a sequence (blockIdx.x) and a head (blockIdx.y); each of its four
// warps has 16. Scores, their softmax and all sums are f32.
#include "common.cuh"

// Queries of a block, and keys in a tile.
constexpr u32 TILE = 64;
constexpr float LOG2_E = 1.4426950408889634f;

__device__ __forceinline__ void multiply(float (&c)[4], const u32 (&a)[4], u32 b0, u32 b1, f16) {
    multiply_half(c, a, b0, b1);
}
__device__ __forceinline__ void multiply(float (&c)[4], const u32 (&a)[4], u32 b0, u32 b1, bf16) {
    multiply_bfloat(c, a, b0, b1);
}
__device__ __forceinline__ u32 pack(float low, float high, f16) { return pack_half(low, high); }
__device__ __forceinline__ u32 pack(float low, float high, bf16) { return pack_bfloat(low, high); }

// Copies rows [first, first + TILE) of one head to rows of SIZE + 8, so that rows begin in
// different banks; zero beyond `length` and beyond the head's size. With `wide`, the size and all
// strides are multiples of 8.
template <typename T, u32 SIZE>
__device__ __forceinline__ void load_tile(T* to, const T* from, u32 row_stride, u32 first,
                                          u32 length, u32 size, bool wide) {
    constexpr u32 STRIDE = SIZE + 8;
    if (wide) {
        typedef Vector<T, 8> Eight;
        for (u32 i = threadIdx.x; i < TILE * SIZE / 8; i += blockDim.x) {
            u32 row = i / (SIZE / 8), column = i % (SIZE / 8) * 8;
            Eight eight = {};
            if (first + row < length && column < size)
                eight = *reinterpret_cast<const Eight*>(from + (u64)(first + row) * row_stride + column);
            *reinterpret_cast<Eight*>(to + row * STRIDE + column) = eight;
        }
    } else {
        for (u32 i = threadIdx.x; i < TILE * SIZE; i += blockDim.x) {
            u32 row = i / SIZE, column = i % SIZE;
            T one = {};
            if (first + row < length && column < size)
                one = from[(u64)(first + row) * row_stride + column];
            to[row * STRIDE + column] = one;
        }
    }
}

// As `attend` of attention.cu; SIZE is the head size rounded up.
template <typename T, u32 SIZE>
__device__ void attend_mma(const T* qkv, T* output, const u32* blocks, const float* slopes,
                           u32 hidden, u32 size) {
    constexpr u32 STRIDE = SIZE + 8;
    __shared__ __align__(16) T keys[TILE * STRIDE];
    __shared__ __align__(16) T values[TILE * STRIDE];
    u32 start = blocks[3 * blockIdx.x];
    u32 length = blocks[3 * blockIdx.x + 1];
    u32 query = blocks[3 * blockIdx.x + 2];
    u32 head = blockIdx.y;
    u32 lane = threadIdx.x % WARP;
    // The warp's first row in the block; the lane's place in fragments (see ptx.cuh).
    u32 own = threadIdx.x / WARP * 16;
    u32 g = lane / 4, t = lane % 4;
    const T* from = qkv + (u64)start * 3 * hidden + head * size;
    bool wide = size % 8 == 0 && hidden % 8 == 0;
    float slope = slopes == nullptr ? 0.0f : slopes[head] * LOG2_E;

    // The queries pass through the keys' tile into registers.
    load_tile<T, SIZE>(keys, from, 3 * hidden, query, length, size, wide);
    __syncthreads();
    u32 queries[SIZE / 16][4];
#pragma unroll
    for (u32 k = 0; k < SIZE / 16; k++)
        load_matrices(queries[k], keys + (own + lane % 16) * STRIDE + k * 16 + lane / 16 * 8);

    // Of the rows g and g + 8: the greatest score so far (in powers of two), the sum of the
    // weights that this lane holds, and the weighted values.
    float most[2] = {-INFINITY, -INFINITY}, total[2] = {0.0f, 0.0f}, sum[SIZE / 8][4] = {};
    for (u32 key = 0; key < length; key += TILE) {
        u32 rest = length - key;
        __syncthreads();
        load_tile<T, SIZE>(keys, from + hidden, 3 * hidden, key, length, size, wide);
        load_tile<T, SIZE>(values, from + 2 * hidden, 3 * hidden, key, length, size, wide);
        __syncthreads();

        float scores[TILE / 8][4] = {};
#pragma unroll
        for (u32 n = 0; n < TILE / 16; n++) {
            if (16 * n >= rest) break;
#pragma unroll
            for (u32 k = 0; k < SIZE / 16; k++) {
                u32 b[4];
                u32 row = n * 16 + lane / 16 * 8 + lane % 8;
                load_matrices(b, keys + row * STRIDE + k * 16 + lane / 8 % 2 * 8);
                multiply(scores[2 * n], queries[k], b[0], b[1], T());
                multiply(scores[2 * n + 1], queries[k], b[2], b[3], T());
            }
        }

        float next[2] = {most[0], most[1]};
#pragma unroll
        for (u32 n = 0; n < TILE / 8; n++) {
#pragma unroll
            for (u32 i = 0; i < 4; i++) {
                u32 column = n * 8 + 2 * t + i % 2;
                float distance = fabsf((float)(int)(query + own + g + i / 2 * 8) -
                                       (float)(int)(key + column));
                scores[n][i] = column < rest ? scores[n][i] * LOG2_E - slope * distance : -INFINITY;
                next[i / 2] = fmaxf(next[i / 2], scores[n][i]);
            }
        }
#pragma unroll
        for (u32 i = 0; i < 2; i++) {
            next[i] = fmaxf(next[i], __shfl_xor_sync(ALL_LANES, next[i], 1));
            next[i] = fmaxf(next[i], __shfl_xor_sync(ALL_LANES, next[i], 2));
            float kept = exp2f(most[i] - next[i]);
            most[i] = next[i];
            total[i] *= kept;
#pragma unroll
            for (u32 n = 0; n < SIZE / 8; n++) {
                sum[n][2 * i] *= kept;
                sum[n][2 * i + 1] *= kept;
            }
        }
#pragma unroll
        for (u32 n = 0; n < TILE / 8; n++) {
#pragma unroll
            for (u32 i = 0; i < 4; i++) {
                scores[n][i] = exp2f(scores[n][i] - most[i / 2]);
                total[i / 2] += scores[n][i];
            }
        }

#pragma unroll
        for (u32 k = 0; k < TILE / 16; k++) {
            if (16 * k >= rest) break;
            // What a multiplication leaves behind is laid out as the next one wants it.
            const float(&left)[4] = scores[2 * k];
            const float(&right)[4] = scores[2 * k + 1];
            u32 weights[4] = {pack(left[0], left[1], T()), pack(left[2], left[3], T()),
                              pack(right[0], right[1], T()), pack(right[2], right[3], T())};
#pragma unroll
            for (u32 n = 0; n < SIZE / 16; n++) {
                u32 b[4];
                u32 row = k * 16 + lane % 16;
                load_transposed(b, values + row * STRIDE + n * 16 + lane / 16 * 8);
                multiply(sum[2 * n], weights, b[0], b[1], T());
                multiply(sum[2 * n + 1], weights, b[2], b[3], T());
            }
        }
    }
#pragma unroll
    for (u32 i = 0; i < 2; i++) {
        total[i] += __shfl_xor_sync(ALL_LANES, total[i], 1);
        total[i] += __shfl_xor_sync(ALL_LANES, total[i], 2);
        u32 row = query + own + g + i * 8;
        if (row >= length) continue;
        T* to = output + (u64)(start + row) * hidden + head * size;
#pragma unroll
        for (u32 n = 0; n < SIZE / 8; n++) {
            u32 column = n * 8 + 2 * t;
            float low = sum[n][2 * i] / total[i], high = sum[n][2 * i + 1] / total[i];
            if (size % 2 == 0 && column < size) {
                *reinterpret_cast<u32*>(to + column) = pack(low, high, T());
            } else {
                if (column < size) to[column] = from_float<T>(low);
                if (column + 1 < size) to[column + 1] = from_float<T>(high);
            }
        }
    }
}

#define ATTEND_MMA(T, NAME, SIZE)                                                                  \
    extern "C" __global__ void __launch_bounds__(128)                                              \
        attend_mma_##NAME##_##SIZE(const T* qkv, T* output, const u32* blocks,                     \
                                   const float* slopes, u32 hidden, u32 size) {                    \
        attend_mma<T, SIZE>(qkv, output, blocks, slopes, hidden, size);                            \
    }

ATTEND_MMA(f16, f16, 16)
ATTEND_MMA(f16, f16, 32)
ATTEND_MMA(f16, f16, 64)
ATTEND_MMA(f16, f16, 128)
ATTEND_MMA(bf16, bf16, 16)
ATTEND_MMA(bf16, bf16, 32)
ATTEND_MMA(bf16, bf16, 64)
ATTEND_MMA(bf16, bf16, 128)
