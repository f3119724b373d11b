// Residual, bias and layer norm in one pass over memory. A block is a token.
#include "common.cuh"

// `sum` = residual + y + bias, of which y and bias may be absent together; `normed` and `rounded` =
// norm(sum) * weight + shift, in f32 and in T. Each of the three outputs may be absent.
// Dynamic shared memory: `width` floats.
template <typename T, int V>
__device__ void add_norm(const float* residual, const T* y, const float* bias, const float* weight,
                         const float* shift, float* sum, float* normed, T* rounded,
                         u32 width, float eps) {
    extern __shared__ __align__(16) float row[];
    __shared__ float partial[2][WARP];
    u64 start = (u64)blockIdx.x * width;
    float all = 0.0f;
    for (u32 i = threadIdx.x * V; i < width; i += blockDim.x * V) {
        float x[V];
        load<float, V>(x, residual + start + i);
        if (y != nullptr) {
            float update[V], offset[V];
            load<T, V>(update, y + start + i);
            load<float, V>(offset, bias + i);
#pragma unroll
            for (int j = 0; j < V; j++) x[j] += update[j] + offset[j];
        }
        store<float, V>(row + i, x);
        if (sum != nullptr) store<float, V>(sum + start + i, x);
#pragma unroll
        for (int j = 0; j < V; j++) all += x[j];
    }
    float mean = block_sum(all, partial[0]) / width;
    float squares = 0.0f;
    for (u32 i = threadIdx.x * V; i < width; i += blockDim.x * V) {
#pragma unroll
        for (int j = 0; j < V; j++) {
            float x = row[i + j] - mean;
            squares += x * x;
        }
    }
    float scale = 1.0f / sqrtf(block_sum(squares, partial[1]) / width + eps);
    for (u32 i = threadIdx.x * V; i < width; i += blockDim.x * V) {
        float x[V], factor[V], offset[V];
        load<float, V>(x, row + i);
        load<float, V>(factor, weight + i);
        load<float, V>(offset, shift + i);
#pragma unroll
        for (int j = 0; j < V; j++) x[j] = (x[j] - mean) * scale * factor[j] + offset[j];
        if (normed != nullptr) store<float, V>(normed + start + i, x);
        if (rounded != nullptr) store<T, V>(rounded + start + i, x);
    }
}

#define ADD_NORM(T, NAME, V)                                                                       \
    extern "C" __global__ void __launch_bounds__(256) add_norm_##NAME##_##V(                       \
        const float* residual, const T* y, const float* bias, const float* weight,                 \
        const float* shift, float* sum, float* normed, T* rounded, u32 width, float eps) {         \
        add_norm<T, V>(residual, y, bias, weight, shift, sum, normed, rounded, width, eps);        \
    }

ADD_NORM(float, f32, 1)
ADD_NORM(float, f32, 4)
ADD_NORM(f16, f16, 1)
ADD_NORM(f16, f16, 4)
ADD_NORM(bf16, bf16, 1)
ADD_NORM(bf16, bf16, 4)
