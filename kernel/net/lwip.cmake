# lwIP's core, compiled into the kernel from .deps/lwip (packaging/bootstrap puts it there). Its configuration is ours:
# kernel/net/port/. Its C files get the kernel's code generation flags, without our warnings.
set(LWIP_DIR ${ROOT}/.deps/lwip)
if(NOT EXISTS ${LWIP_DIR}/src/include/lwip/init.h)
  message(FATAL_ERROR "lwIP's sources are not in .deps/lwip: run packaging/bootstrap")
endif()
set(LWIP_SOURCES
  core/def.c core/inet_chksum.c core/init.c core/ip.c core/mem.c core/memp.c core/netif.c core/pbuf.c core/raw.c
  core/tcp.c core/tcp_in.c core/tcp_out.c core/udp.c
  core/ipv4/dhcp.c core/ipv4/etharp.c core/ipv4/icmp.c core/ipv4/igmp.c core/ipv4/ip4.c core/ipv4/ip4_addr.c
  core/ipv4/ip4_frag.c
  core/ipv6/ethip6.c core/ipv6/icmp6.c core/ipv6/inet6.c core/ipv6/ip6.c core/ipv6/ip6_addr.c core/ipv6/ip6_frag.c
  core/ipv6/mld6.c core/ipv6/nd6.c
  netif/ethernet.c)
list(TRANSFORM LWIP_SOURCES PREPEND ${LWIP_DIR}/src/)
add_library(lwip OBJECT ${LWIP_SOURCES})
target_include_directories(lwip PRIVATE ${ROOT}/kernel/net/port ${LWIP_DIR}/src/include)
target_compile_options(lwip PRIVATE ${KERNEL_FLAGS} -w)
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_definitions(lwip PRIVATE UNI_DEBUG_LOCKS)
endif()
target_link_libraries(kernel PRIVATE lwip)
target_include_directories(kernel SYSTEM PRIVATE ${ROOT}/kernel/net/port ${LWIP_DIR}/src/include)
