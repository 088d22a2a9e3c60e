// SPDX-License-Identifier: Apache-2.0
// lwIP's compiler and machine abstraction for the kernel.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_CTYPE_H 1
typedef long ssize_t;
#define SSIZE_MAX INTPTR_MAX
#define U8_F "u"
#define X8_F "x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "lu"

#ifdef __cplusplus
extern "C" {
#endif
uint32_t uni_lwip_random(void);
void* uni_lwip_malloc(size_t size);
void* uni_lwip_calloc(size_t count, size_t size);
void uni_lwip_free(void* memory);
uint16_t uni_lwip_checksum(const void* data, int size);
__attribute__((noreturn)) void uni_lwip_panic(const char* message, const char* file, int line);
#ifdef __cplusplus
}
#endif

#define LWIP_RAND() uni_lwip_random()
#define LWIP_PLATFORM_DIAG(x) ((void)0)
#define LWIP_PLATFORM_ASSERT(message) uni_lwip_panic(message, __FILE__, __LINE__)

#define BYTE_ORDER LITTLE_ENDIAN
#define lwip_htons(x) ((u16_t)__builtin_bswap16((u16_t)(x)))
#define lwip_htonl(x) ((u32_t)__builtin_bswap32((u32_t)(x)))
#define LWIP_DONT_PROVIDE_BYTEORDER_FUNCTIONS 1

#define SMEMCPY(to, from, size) __builtin_memcpy(to, from, size)
#define MEMCPY(to, from, size) __builtin_memcpy(to, from, size)
