#include "../area/area_feed.cc"
#include "../area/area_reader.cc"
