{
  "includes": ["native/addon.gypi"],
  "variables": {"memfd_native_tests%": 0},
  "conditions": [
    ["memfd_native_tests==1", {"targets": [{"target_name": "nested_loop", "sources": ["test-support/native/nested_loop.cc"]}]}]
  ]
}
