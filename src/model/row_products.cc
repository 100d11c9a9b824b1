#include "model/row_products.h"

#include "kernel/operations.h"

namespace nibble {

void RowProducts::multiply(std::initializer_list<Output> outputs, int64_t layer, const float* x,
                           int64_t rows, int64_t columns) {
  roles_.clear();
  products_.clear();
  for (const Output& output : outputs) {
    roles_.push_back(output.role);
    products_.push_back({&weights_.of(output.role, layer), output.y});
  }
  if (observer_ != nullptr) observer_->on_input(roles_, layer, 0, {x, rows, columns});
  activations_.assign(x, rows, columns);
  matmul(products_, activations_, pool_);
  for (const Output& output : outputs) {
    if (const float* bias = weights_.bias(output.role, layer))
      add_bias(bias, output.y, rows, weights_.of(output.role, layer).rows, pool_);
  }
}

void add_bias(const float* bias, float* y, int64_t rows, int64_t columns, ThreadPool& pool) {
  pool.run(rows, 8, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) operations().add(y + row * columns, bias, columns);
  });
}

}  // namespace nibble
