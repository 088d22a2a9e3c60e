// SPDX-License-Identifier: Apache-2.0
// A Debian package as the thing to pack: its program, and the files of its dependency closure that the program needs.
// dpkg's database is read, nothing is installed or executed.
#pragma once

#include <string>

#include "loader/analyze/closure_builder.hpp"
#include "loader/analyze/dpkg.hpp"

namespace uni {

// The guest path of the package's program: the executable that has the package's name, else the only one in a directory
// of $PATH; of a package without any, those of the packages that it depends on. `chosen` picks one by name or path.
// Fails (kBadInput) where the package is not installed, has no program or several; the message lists them.
Expected<std::string> program_of_package(const PackageDatabase& packages, const Sysroot& sysroot,
                                         const std::string& name, const std::string& chosen);

// Adds the files of packages of the dependency closure: of the package itself and those of its source package, of each
// package that owns an object of the closure, and of those that are data only. Programs, documentation, and files of
// the service manager stay out.
Expected<void> add_package_files(ClosureBuilder& builder, const PackageDatabase& packages, const std::string& name);

}  // namespace uni
