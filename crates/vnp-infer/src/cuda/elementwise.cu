// Biases with what follows them. A block is a part of a token's row: blockIdx.x the token,
// blockIdx.y the part.
#include "common.cuh"

// The exact form, by the error function.
__device__ __forceinline__ float gelu(float x) {
    return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
}

// x = gelu(x + bias), in place.
template <typename T, int V>
__device__ void bias_gelu(T* x, const float* bias, u32 width) {
    u32 column = (blockIdx.y * blockDim.x + threadIdx.x) * V;
    if (column >= width) return;
    T* place = x + (u64)blockIdx.x * width + column;
    float values[V], offset[V];
    load<T, V>(values, place);
    load<float, V>(offset, bias + column);
#pragma unroll
    for (int i = 0; i < V; i++) values[i] = gelu(values[i] + offset[i]);
    store<T, V>(place, values);
}

// From rows [gate | value] of 2 `width`, gelu(gate) * value of `width`.
template <typename T, int V>
__device__ void gated_gelu(const T* gated, T* output, u32 width) {
    u32 column = (blockIdx.y * blockDim.x + threadIdx.x) * V;
    if (column >= width) return;
    const T* from = gated + (u64)blockIdx.x * 2 * width + column;
    float gate[V], value[V];
    load<T, V>(gate, from);
    load<T, V>(value, from + width);
#pragma unroll
    for (int i = 0; i < V; i++) value[i] *= gelu(gate[i]);
    store<T, V>(output + (u64)blockIdx.x * width + column, value);
}

// Rows [query | key | value] of 3 `hidden`, in place: adds the bias, multiplies queries by `scale`
// and, where there are tables, then rotates queries and keys by their position: of every head the
// first half with the second. Tables are rows of `half` = head size / 2, one a position. V divides
// `half`.
template <typename T, int V>
__device__ void prepare(T* qkv, const float* bias, const u32* positions, const float* cosines,
                        const float* sines, u32 hidden, u32 half, float scale) {
    u32 pairs = hidden / 2;
    u32 pair = (blockIdx.y * blockDim.x + threadIdx.x) * V;
    if (pair >= 3 * pairs) return;
    u32 part = pair / pairs;
    u32 head = pair % pairs / half;
    u32 frequency = pair % pairs % half;
    u32 column = part * hidden + head * 2 * half + frequency;
    T* place = qkv + (u64)blockIdx.x * 3 * hidden + column;
    float low[V], high[V], offset[V];
    load<T, V>(low, place);
    load<float, V>(offset, bias + column);
#pragma unroll
    for (int i = 0; i < V; i++) low[i] += offset[i];
    load<T, V>(high, place + half);
    load<float, V>(offset, bias + column + half);
#pragma unroll
    for (int i = 0; i < V; i++) high[i] += offset[i];
    if (part == 0) {
#pragma unroll
        for (int i = 0; i < V; i++) {
            low[i] *= scale;
            high[i] *= scale;
        }
    }
    if (part < 2 && cosines != nullptr) {
        u64 angle = (u64)positions[blockIdx.x] * half + frequency;
        float cosine[V], sine[V];
        load<float, V>(cosine, cosines + angle);
        load<float, V>(sine, sines + angle);
#pragma unroll
        for (int i = 0; i < V; i++) {
            float x = low[i];
            low[i] = x * cosine[i] - high[i] * sine[i];
            high[i] = high[i] * cosine[i] + x * sine[i];
        }
    }
    store<T, V>(place, low);
    store<T, V>(place + half, high);
}

#define ELEMENTWISE(T, NAME, V)                                                                    \
    extern "C" __global__ void __launch_bounds__(256)                                              \
        bias_gelu_##NAME##_##V(T* x, const float* bias, u32 width) {                               \
        bias_gelu<T, V>(x, bias, width);                                                           \
    }                                                                                              \
    extern "C" __global__ void __launch_bounds__(256)                                              \
        gated_gelu_##NAME##_##V(const T* gated, T* output, u32 width) {                            \
        gated_gelu<T, V>(gated, output, width);                                                    \
    }                                                                                              \
    extern "C" __global__ void __launch_bounds__(256) prepare_##NAME##_##V(                        \
        T* qkv, const float* bias, const u32* positions, const float* cosines,                     \
        const float* sines, u32 hidden, u32 half, float scale) {                                   \
        prepare<T, V>(qkv, bias, positions, cosines, sines, hidden, half, scale);                  \
    }

ELEMENTWISE(float, f32, 1)
ELEMENTWISE(float, f32, 4)
ELEMENTWISE(f16, f16, 1)
ELEMENTWISE(f16, f16, 8)
ELEMENTWISE(bf16, bf16, 1)
ELEMENTWISE(bf16, bf16, 8)
