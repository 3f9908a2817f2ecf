// Checks the protocol of the area as it is coded: native/area's writer and reader, over a memory that answers whatever the orders of
// their accesses allow. Prints one JSON line.
//
//   area-model --alphabet "X Y XY x xY" --length 3 [--blocks 3] [--entries 3] [--log 8] [--readers gdcskwn] [--tso]
//              [--without REPAIR] [--weaken SITE] [--from SCRIPT --to SCRIPT] [--seconds N] [--all]
//   area-model --script "X x r Y" ...
//   area-model --list     the repairs and the sites
//
// Readers: g one key, and again after the writer's death at each store; d its death while it is read; c again while the writer goes on; s a snapshot; k all keys; w a
// watcher; n one that is told only of what is new. --seconds: stops after so long, and says at which script to go on.
#include <chrono>
#include <cstdio>

#include "explorer.h"

namespace {

using namespace model;

struct Arguments {
  std::vector<std::string> alphabet, script;
  int length = 2;
  Size size;
  std::string readers = "g";
  uint64_t from = 0, to = ~uint64_t{0};
  double seconds = 1e9;
  bool is_all = false;
};

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; stream >> part;) parts.push_back(part);
  return parts;
}

int SiteNamed(const std::string& name) {
  int number = 0;
#define AREA_SITE(site, order) \
  if (name == #site) return number; \
  ++number;
  AREA_SITES(AREA_SITE)
#undef AREA_SITE
  std::fprintf(stderr, "no site %s\n", name.c_str());
  std::exit(2);
}

void List() {
#define AREA_REPAIR(name, number, what) std::printf("repair %d %s: %s\n", number, #name, what);
  AREA_REPAIRS(AREA_REPAIR)
#undef AREA_REPAIR
#define AREA_SITE(name, order) std::printf("site %s %s\n", #name, #order);
  AREA_SITES(AREA_SITE)
#undef AREA_SITE
}

Arguments Read(int count, char** texts) {
  Arguments made;
  for (int i = 1; i < count; ++i) {
    const std::string name = texts[i];
    const auto value = [&] { return std::string(i + 1 < count ? texts[++i] : ""); };
    if (name == "--alphabet") made.alphabet = Split(value());
    else if (name == "--script") made.script = Split(value());
    else if (name == "--length") made.length = std::atoi(value().c_str());
    else if (name == "--blocks") made.size.blocks = std::atoi(value().c_str());
    else if (name == "--entries") made.size.entries = std::atoi(value().c_str());
    else if (name == "--log") made.size.log = std::atoi(value().c_str());
    else if (name == "--readers") made.readers = value();
    else if (name == "--tso") options.is_tso = true;
    else if (name == "--without") options.without = std::atoi(value().c_str());
    else if (name == "--weaken") options.weakened = SiteNamed(value());
    else if (name == "--from") made.from = std::strtoull(value().c_str(), nullptr, 10);
    else if (name == "--to") made.to = std::strtoull(value().c_str(), nullptr, 10);
    else if (name == "--seconds") made.seconds = std::atof(value().c_str());
    else if (name == "--all") made.is_all = true;
    else if (name == "--list") List(), std::exit(0);
    else std::fprintf(stderr, "unknown: %s\n", name.c_str()), std::exit(2);
  }
  return made;
}

}  // namespace

int main(int count, char** texts) {
  Arguments arguments = Read(count, texts);
  // One script is an alphabet of itself.
  const bool is_one = !arguments.script.empty();
  if (is_one) arguments.alphabet = arguments.script, arguments.length = 0;
  uint64_t scripts = 1;
  for (int i = 0; i < arguments.length; ++i) scripts *= arguments.alphabet.size();
  std::set<std::string> names;
  for (const std::string& action : arguments.alphabet) {
    for (const char letter : action) {
      if (letter == 'r' || letter == 'i' || letter == 'j') continue;
      names.insert(NameOf(letter));
    }
  }
  const std::vector<std::string> keys(names.begin(), names.end());
  History history(arguments.size);
  Tally tally;
  const auto begin = std::chrono::steady_clock::now();
  uint64_t number = arguments.from;
  for (; number < scripts && number < arguments.to; ++number) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (took.count() > arguments.seconds || (tally.violations > 0 && !arguments.is_all)) break;
    std::vector<std::string> script;
    std::string text;
    for (uint64_t i = 0, rest = number; i < static_cast<uint64_t>(arguments.length); ++i, rest /= arguments.alphabet.size()) {
      script.push_back(arguments.alphabet[rest % arguments.alphabet.size()]);
      text += (i == 0 ? "" : " ") + script.back();
    }
    if (is_one) {
      script = arguments.script;
      for (const std::string& action : script) text += (text.empty() ? "" : " ") + action;
    }
    history.Run(script);
    Explorer explorer(history, keys, &tally);
    explorer.stop_at_first = !arguments.is_all;
    explorer.Run(arguments.readers, text);
    ++tally.scripts;
  }
  std::printf("{\"scripts\": %llu, \"of\": %llu, \"next\": %llu, \"executions\": %llu, \"states\": %llu, \"violations\": %llu, \"first\": \"%s\"}\n",
              static_cast<unsigned long long>(tally.scripts), static_cast<unsigned long long>(scripts),
              static_cast<unsigned long long>(number), static_cast<unsigned long long>(tally.executions),
              static_cast<unsigned long long>(tally.states), static_cast<unsigned long long>(tally.violations), tally.first.c_str());
  return tally.violations > 0 ? 1 : 0;
}
