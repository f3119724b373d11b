// Attention of each sequence within itself, for any number format and head size, without tensor
// cores. A block is 16 queries of a sequence and a head: blockIdx.x names 64 queries, blockIdx.z
// the quarter, blockIdx.y the head.
#include "common.cuh"

constexpr u32 WARPS = 4;
// Queries of a warp.
constexpr u32 QUERIES = 4;
// Keys in a tile: one a lane.
constexpr u32 KEYS = WARP;

// Copies rows [first, first + rows) of one head, cut at `length` and zero beyond, as f32.
template <typename T>
__device__ __forceinline__ void load_rows(float* to, u32 stride, const T* from, u32 row_stride,
                                          u32 first, u32 rows, u32 length, u32 size) {
    for (u32 i = threadIdx.x; i < rows * size; i += blockDim.x) {
        u32 row = i / size, column = i % size;
        bool there = first + row < length;
        to[row * stride + column] =
            there ? to_float(from[(u64)(first + row) * row_stride + column]) : 0.0f;
    }
}

// `qkv` are rows [query | key | value] of 3 `hidden`, queries scaled; `blocks` triples of a
// sequence's first token, its tokens and the first of 64 queries. With `slopes`, one a head, scores
// fall by the slope times the distance. PARTS * 32 is at least the head size. Dynamic shared
// memory: 16 * size + 32 * (size | 1) floats.
template <typename T, int PARTS>
__device__ void attend(const T* qkv, T* output, const u32* blocks, const float* slopes, u32 hidden,
                       u32 size) {
    extern __shared__ float shared[];
    u32 start = blocks[3 * blockIdx.x];
    u32 length = blocks[3 * blockIdx.x + 1];
    u32 query = blocks[3 * blockIdx.x + 2] + blockIdx.z * WARPS * QUERIES;
    if (query >= length) return;
    u32 head = blockIdx.y;
    u32 lane = threadIdx.x % WARP;
    u32 own = threadIdx.x / WARP * QUERIES;
    const T* from = qkv + (u64)start * 3 * hidden + head * size;
    float slope = slopes == nullptr ? 0.0f : slopes[head];
    float* queries = shared;
    float* tile = shared + WARPS * QUERIES * size;
    // Odd, so that the rows of a column lie in different banks.
    u32 stride = size | 1;

    load_rows(queries, size, from, 3 * hidden, query, WARPS * QUERIES, length, size);
    float most[QUERIES], total[QUERIES], sum[QUERIES][PARTS];
#pragma unroll
    for (u32 q = 0; q < QUERIES; q++) {
        most[q] = -INFINITY;
        total[q] = 0.0f;
#pragma unroll
        for (int part = 0; part < PARTS; part++) sum[q][part] = 0.0f;
    }
    for (u32 key = 0; key < length; key += KEYS) {
        __syncthreads();
        load_rows(tile, stride, from + hidden, 3 * hidden, key, KEYS, length, size);
        __syncthreads();
        float weight[QUERIES] = {};
        for (u32 i = 0; i < size; i++) {
            float x = tile[lane * stride + i];
#pragma unroll
            for (u32 q = 0; q < QUERIES; q++) weight[q] += queries[(own + q) * size + i] * x;
        }
#pragma unroll
        for (u32 q = 0; q < QUERIES; q++) {
            float distance = fabsf((float)(int)(query + own + q) - (float)(int)(key + lane));
            float score = key + lane < length ? weight[q] - slope * distance : -INFINITY;
            float next = fmaxf(most[q], warp_max(score));
            float kept = expf(most[q] - next);
            most[q] = next;
            weight[q] = expf(score - next);
            total[q] = total[q] * kept + warp_sum(weight[q]);
#pragma unroll
            for (int part = 0; part < PARTS; part++) sum[q][part] *= kept;
        }
        __syncthreads();
        load_rows(tile, stride, from + 2 * hidden, 3 * hidden, key, KEYS, length, size);
        __syncthreads();
        for (u32 j = 0; j < KEYS; j++) {
            float share[QUERIES];
#pragma unroll
            for (u32 q = 0; q < QUERIES; q++) share[q] = __shfl_sync(ALL_LANES, weight[q], j);
#pragma unroll
            for (int part = 0; part < PARTS; part++) {
                u32 column = lane + WARP * part;
                float x = column < size ? tile[j * stride + column] : 0.0f;
#pragma unroll
                for (u32 q = 0; q < QUERIES; q++) sum[q][part] += share[q] * x;
            }
        }
    }
#pragma unroll
    for (u32 q = 0; q < QUERIES; q++) {
        u32 row = query + own + q;
        if (row >= length) continue;
        T* to = output + (u64)(start + row) * hidden + head * size;
#pragma unroll
        for (int part = 0; part < PARTS; part++) {
            u32 column = lane + WARP * part;
            if (column < size) to[column] = from_float<T>(sum[q][part] / total[q]);
        }
    }
}

#define ATTEND(T, NAME, PARTS)                                                                     \
    extern "C" __global__ void __launch_bounds__(128)                                              \
        attend_##NAME##_##PARTS(const T* qkv, T* output, const u32* blocks, const float* slopes,   \
                                u32 hidden, u32 size) {                                            \
        attend<T, PARTS>(qkv, output, blocks, slopes, hidden, size);                               \
    }

ATTEND(float, f32, 1)
ATTEND(float, f32, 2)
ATTEND(float, f32, 4)
ATTEND(float, f32, 8)
ATTEND(f16, f16, 1)
ATTEND(f16, f16, 2)
ATTEND(f16, f16, 4)
ATTEND(f16, f16, 8)
ATTEND(bf16, bf16, 1)
ATTEND(bf16, bf16, 2)
ATTEND(bf16, bf16, 4)
ATTEND(bf16, bf16, 8)
