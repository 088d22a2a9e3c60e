// SPDX-License-Identifier: Apache-2.0
// Files under temporary names, which also go away where a signal ends the program midway. While there are any, the
// signals that end it by default (INT, TERM, HUP, QUIT) unlink them first; what was ignored or handled stays so.
#pragma once

#include <string>

namespace uni {

// Makes a new file as mkostemp(3) does (O_CLOEXEC) and keeps its name in mind. Gives the descriptor, or -1 with errno.
int make_temporary(std::string& name);

// Makes a new file in the directory of `path` without a name, which nothing leaves behind, not even SIGKILL
// (O_TMPFILE, open(2)). Gives the descriptor, or -1 where the file system or the kernel cannot.
int make_nameless(const std::string& path);
// Gives a file of make_nameless() a name, made of `name` as by mkostemp(3), and keeps it in mind. Gives 0, or -1 with
// errno.
int name_temporary(int fd, std::string& name);

// The file has another name now or is unlinked. Not for use by several threads at once, as make_temporary() is not.
void forget_temporary(const std::string& name);

}  // namespace uni
