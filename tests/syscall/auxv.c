// SPDX-License-Identifier: Apache-2.0
// The auxiliary vector, arguments and environment that a program starts with (getauxval(3)).
// run: arg=one arg=two_words env=GREETING=hello
#include <elf.h>
#include <sys/auxv.h>

#include "check.h"

extern char** environ;

int main(int argc, char** argv) {
  RET(argc);
  SAY("%s %s", argv[1], argv[2]);
  IS(argv[argc] == NULL);
  SAY("%s", getenv("GREETING"));
  IS(getauxval(AT_PAGESZ) == 4096);
  IS(getauxval(AT_CLKTCK) == 100);
  IS(getauxval(AT_PHDR) != 0 && getauxval(AT_PHENT) == sizeof(Elf64_Phdr) && getauxval(AT_PHNUM) > 2);
  IS(getauxval(AT_ENTRY) != 0);
  IS(getauxval(AT_BASE) == 0);
  IS(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid());
  IS(getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
  IS(getauxval(AT_SECURE) == 0);
  IS(getauxval(AT_FLAGS) == 0);
  const char* name = (const char*)getauxval(AT_EXECFN);
  IS(name && strstr(name, "auxv") != NULL);
  const char* platform = (const char*)getauxval(AT_PLATFORM);
  SAY("%s", platform);
  unsigned char* random = (unsigned char*)getauxval(AT_RANDOM);
  int zero = 0;
  for (int i = 0; i < 16; i++)
    zero += random[i] == 0;
  IS(zero < 8);
  const Elf64_Ehdr* vdso = (const Elf64_Ehdr*)getauxval(AT_SYSINFO_EHDR);
  IS(vdso && !memcmp(vdso->e_ident, ELFMAG, 4) && vdso->e_type == ET_DYN && vdso->e_machine == EM_X86_64);
  IS(getauxval(AT_HWCAP) != 0);
  // The stack is aligned at entry, and the arguments are above it.
  IS((char*)argv > (char*)&argc && (char*)environ > (char*)argv);
  IS(((uintptr_t)argv - 8) % 16 == 0);
  SAY("stdio %d %d %d", fcntl(0, F_GETFD), fcntl(1, F_GETFD), fcntl(2, F_GETFD));
  RET(open("/", O_RDONLY));
  return done();
}
