// From one vector a token to one a sequence.
#include "common.cuh"

// The mean of the rows [ranges[2 s], ranges[2 s + 1]) for sequence s = blockIdx.x; NaN without a
// row. Adds in f64: there is little to add, and thousands of rows.
extern "C" __global__ void __launch_bounds__(256)
    mean(const float* hidden, const u32* ranges, float* output, u32 width) {
    u32 column = blockIdx.y * blockDim.x + threadIdx.x;
    if (column >= width) return;
    u32 first = ranges[2 * blockIdx.x], end = ranges[2 * blockIdx.x + 1];
    double sum = 0.0;
    for (u32 row = first; row < end; row++) sum += hidden[(u64)row * width + column];
    output[(u64)blockIdx.x * width + column] = (float)(sum / (double)(end - first));
}
