#include "../area/area_attach.cc"
#include "../area/area_feed.cc"
#include "../area/area_reader.cc"
