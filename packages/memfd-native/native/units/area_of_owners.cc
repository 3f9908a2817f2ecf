#include "../area/area_blocks.cc"
#include "../area/area_room.cc"
#include "../area/area_writer.cc"
