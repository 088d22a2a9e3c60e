// SPDX-License-Identifier: Apache-2.0
// Every value of the manifest that the guest or `uni run` needs, in a fixed order.
#include "cli/image/manifest_config.hpp"

#include "cli/image/call_list.hpp"

namespace uni {

BootConfig boot_config(const Manifest& m) {
  BootConfig config;
  config.add("version", "1");
  config.add("program", m.program);
  config.add("arg", m.program);
  for (const std::string& a : m.arguments)
    config.add("arg", a);
  for (const std::string& e : m.environment)
    config.add(e.find('=') != std::string::npos ? "env" : "x-env", e);
  config.add("cwd", m.directory);
  if (m.uid != 0) config.add("uid", std::to_string(m.uid));
  if (m.gid != 0) config.add("gid", std::to_string(m.gid));
  if (m.processes != "none") config.add("processes", m.processes);
  for (const auto& [name, most] : m.limits)
    config.add("limit", name + ":" + std::to_string(most));
  if (m.call_mode != "all") config.add("syscalls", m.call_mode + ":" + call_list(m.syscalls));
  if (!m.memory.empty()) config.add("x-memory", m.memory);
  if (m.cpus != 0) config.add("x-cpus", std::to_string(m.cpus));
  for (const std::string& p : m.publish)
    config.add("x-publish", p);
  for (const std::string& v : m.volumes)
    config.add("x-volume", v);
  return config;
}

}  // namespace uni
