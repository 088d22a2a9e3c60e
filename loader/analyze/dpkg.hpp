// SPDX-License-Identifier: Apache-2.0
// What Debian's package database says of installed packages (dpkg(1): /var/lib/dpkg/status), and their licenses where
// /usr/share/doc/PACKAGE/copyright is in the machine-readable format (DEP 5).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "loader/analyze/sysroot.hpp"

namespace uni {

struct InstalledPackage {
  std::string name;
  std::string version;
  std::string architecture;
  std::string source;          // name of the source package
  std::string source_version;  // its version
  std::string depends;         // the field, as it is; Pre-Depends before it
  bool required = false;       // essential, or of the priority `required`
};

class PackageDatabase {
 public:
  // Reads the status file; empty where the system has none.
  explicit PackageDatabase(const Sysroot& sysroot);

  const InstalledPackage* find(const std::string& name) const;
  // Short names of the licenses (DEP 5), sorted; empty where the copyright file is not machine-readable.
  std::vector<std::string> licenses(const std::string& name) const;
  // The paths that the package owns.
  std::vector<std::string> paths(const InstalledPackage& package) const;
  // The distribution, for package URLs: "debian", "ubuntu"; from /etc/os-release.
  const std::string& distribution() const { return distribution_; }

 private:
  Sysroot sysroot_;
  std::map<std::string, InstalledPackage> packages_;
  std::string distribution_ = "debian";
};

}  // namespace uni
