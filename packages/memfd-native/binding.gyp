{
  "variables": {"memfd_native_tests%": 0},
  "conditions": [
    ["memfd_native_tests==1", {"targets": [{"target_name": "nested_loop", "sources": ["test-support/native/nested_loop.cc"]}]}]
  ],
  "targets": [
    {
      "target_name": "memfd_native",
      "sources": [
        "native/addon.cc",
        "native/fd.cc",
        "native/memfd.cc",
        "native/mapping.cc",
        "native/view.cc",
        "native/socket.cc",
        "native/scm.cc",
        "native/watcher.cc",
        "native/process.cc",
        "native/hub/hub.cc",
        "native/hub/inbox.cc",
        "native/hub/outlet.cc",
        "native/hub/sockets.cc",
        "native/area/area_reader.cc",
        "native/area/area_writer.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS", "_GNU_SOURCE"],
      "cflags_cc": ["-std=c++20", "-fno-exceptions", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-unused-parameter", "-O2"],
      "cflags_cc!": ["-fexceptions", "-std=gnu++17", "-O3"]
    }
  ]
}
