// Number formats, vectors of them, and reductions.
#pragma once
#include "ptx.cuh"

typedef unsigned short u16;
typedef unsigned u32;
typedef unsigned long long u64;

constexpr u32 WARP = 32;
constexpr u32 ALL_LANES = 0xffffffffu;

struct f16 {
    u16 bits;
};
struct bf16 {
    u16 bits;
};

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(f16 x) { return float_from_half(x.bits); }
__device__ __forceinline__ float to_float(bf16 x) { return __uint_as_float((u32)x.bits << 16); }

template <typename T> __device__ __forceinline__ T from_float(float x);
template <> __device__ __forceinline__ float from_float<float>(float x) { return x; }
template <> __device__ __forceinline__ f16 from_float<f16>(float x) {
    return f16{half_from_float(x)};
}
template <> __device__ __forceinline__ bf16 from_float<bf16>(float x) {
    return bf16{bfloat_from_float(x)};
}

// V neighbouring elements, moved as one where V fills 8 or 16 bytes.
template <typename T, int V> struct __align__(sizeof(T) * V) Vector {
    T at[V];
};

template <typename T, int V>
__device__ __forceinline__ void load(float (&to)[V], const T* from) {
    Vector<T, V> vector = *reinterpret_cast<const Vector<T, V>*>(from);
#pragma unroll
    for (int i = 0; i < V; i++) to[i] = to_float(vector.at[i]);
}

template <typename T, int V>
__device__ __forceinline__ void store(T* to, const float (&from)[V]) {
    Vector<T, V> vector;
#pragma unroll
    for (int i = 0; i < V; i++) vector.at[i] = from_float<T>(from[i]);
    *reinterpret_cast<Vector<T, V>*>(to) = vector;
}

__device__ __forceinline__ float warp_sum(float x) {
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
        x += __shfl_xor_sync(ALL_LANES, x, distance);
    return x;
}

__device__ __forceinline__ float warp_max(float x) {
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
        x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, distance));
    return x;
}

// The sum over a block of whole warps, in every thread and always in the same order. `partial` is
// not to be used again before the block meets.
__device__ __forceinline__ float block_sum(float x, float (&partial)[WARP]) {
    x = warp_sum(x);
    if (threadIdx.x % WARP == 0) partial[threadIdx.x / WARP] = x;
    __syncthreads();
    float sum = 0.0f;
    for (u32 warp = 0; warp < blockDim.x / WARP; warp++) sum += partial[warp];
    return sum;
}
