#include <vector>
#include <string>

namespace geo {

/// A point in the plane.
struct Point { double x; double y; };

template <typename T>
class Polygon : public Shape {
 public:
  explicit Polygon(std::vector<Point> points) : points_(std::move(points)) {}

  // Area by the shoelace formula.
  double area() const override {
    double sum = 0;
    for (size_t i = 0; i < points_.size(); ++i) {
      const auto& a = points_[i];
      const auto& b = points_[(i + 1) % points_.size()];
      sum += a.x * b.y - b.x * a.y;
    }
    return std::abs(sum) / 2;
  }

 private:
  std::vector<Point> points_;
};

template <typename T>
std::string Polygon<T>::describe(const std::string& prefix) const {
  return prefix + ": " + std::to_string(points_.size()) + " corners, area " + std::to_string(area());
}

}  // namespace geo

static int *find_first(int *values, int n, int wanted)
{
    for (int i = 0; i < n; i++) {
        if (values[i] == wanted) return &values[i];
    }
    return NULL;
}
