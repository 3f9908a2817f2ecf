{
  "targets": [
    {
      "target_name": "memfd_native",
      "sources": [
        "addon.cc",
        "fd.cc",
        "memfd.cc",
        "mapping.cc",
        "view.cc",
        "socket.cc",
        "scm.cc",
        "context.cc",
        "process.cc",
        "poll/poll_handle.cc",
        "poll/poll_thread.cc",
        "poll/watcher.cc",
        "hub/door.cc",
        "hub/hub.cc",
        "hub/inbox.cc",
        "hub/outlet.cc",
        "hub/sockets.cc",
        "area/area_blocks.cc",
        "area/area_feed.cc",
        "area/area_reader.cc",
        "area/area_room.cc",
        "area/area_writer.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS", "_GNU_SOURCE"],
      "cflags_cc": ["-std=c++20", "-fno-exceptions", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-unused-parameter", "-O2"],
      "cflags_cc!": ["-fexceptions", "-std=gnu++17", "-O3"]
    }
  ]
}
