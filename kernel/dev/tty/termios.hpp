// SPDX-License-Identifier: Apache-2.0
// Terminal settings with the values and the layout of Linux's kernel struct termios (termios(3), ioctl_tty(2)).
#pragma once

#include "kernel/base/types.hpp"

namespace uni::dev {

enum InputFlag : u32 {
  kIgnBrk = 1,
  kBrkInt = 2,
  kParMrk = 8,
  kIStrip = 0x20,
  kInlCr = 0x40,
  kIgnCr = 0x80,
  kICrNl = 0x100,
  kIUcLc = 0x200,
  kIxOn = 0x400,
  kIxAny = 0x800,
  kIMaxBel = 0x2000,
  kIUtf8 = 0x4000,
};
enum OutputFlag : u32 { kOPost = 1, kOLcUc = 2, kONlCr = 4, kOCrNl = 8, kONoCr = 0x10, kONlRet = 0x20, kTabs = 0x1800 };
enum LocalFlag : u32 {
  kISig = 1,
  kICanon = 2,
  kEcho = 8,
  kEchoE = 0x10,
  kEchoK = 0x20,
  kEchoNl = 0x40,
  kNoFlsh = 0x80,
  kToStop = 0x100,
  kEchoCtl = 0x200,
  kEchoKe = 0x800,
  kIExten = 0x8000,
};
enum ControlChar : u8 {
  kVIntr,
  kVQuit,
  kVErase,
  kVKill,
  kVEof,
  kVTime,
  kVMin,
  kVSwtc,
  kVStart,
  kVStop,
  kVSusp,
  kVEol,
  kVReprint,
  kVDiscard,
  kVWErase,
  kVLNext,
  kVEol2,
  kControlChars = 19,
};

struct Termios {
  u32 input = kICrNl | kIxOn;
  u32 output = kOPost | kONlCr;
  u32 control = 0xbf;  // B38400, CS8, CREAD
  u32 local = kISig | kICanon | kEcho | kEchoE | kEchoK | kEchoCtl | kEchoKe | kIExten;
  u8 line = 0;
  u8 chars[kControlChars] = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0};
};
static_assert(sizeof(Termios) == 36);

struct WindowSize {
  u16 rows = 24, columns = 80, width_pixels = 0, height_pixels = 0;
};

}  // namespace uni::dev
