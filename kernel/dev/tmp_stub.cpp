#include "kernel/dev/net_device.hpp"
namespace uni::dev { [[gnu::weak]] NetDevice* net_device(usize) { return nullptr; } }
