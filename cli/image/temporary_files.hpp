// SPDX-License-Identifier: Apache-2.0
// Files under temporary names, which also go away where a signal ends the program midway. While there are any, the
// signals that end it by default (INT, TERM, HUP, QUIT) unlink them first; what was ignored or handled stays so.
#pragma once

#include <string>

namespace uni {

// Makes a new file as mkostemp(3) does (O_CLOEXEC) and keeps its name in mind. Gives the descriptor, or -1 with errno.
int make_temporary(std::string& name);

// The file has another name now or is unlinked. Not for use by several threads at once, as make_temporary() is not.
void forget_temporary(const std::string& name);

}  // namespace uni
