// SPDX-License-Identifier: MIT
// The formulae, and the traffic that each is about. The published formulae charge a direction with the Acks and
// UpdateFCs of the other one, so both are kept busy: writes go both ways; reads are asked for among writes of 16 bytes.
#include "tests/validation/link_points.h"

#include <algorithm>

#include "tests/validation/link_traffic.h"

namespace smmusim::validation {
namespace {

using namespace platform;

constexpr double request_bytes = 24, completion_bytes = 20, dllp_bytes = 8, skip_share = 4.0 / 1538;
constexpr Time warm_up = 5'000'000;
constexpr unsigned beside_reads_bytes = 16;
constexpr double saturated_gate = 0.03;

struct Link {
  const char* name;
  unsigned generation;
  unsigned lanes;
};
constexpr Link links[] = {{"gen3 x8", 3, 8}, {"gen4 x16", 4, 16}, {"gen5 x16", 5, 16}};

struct Size {
  unsigned bytes;
  unsigned mps_bytes;
};
constexpr Size sizes[] = {{64, 256}, {128, 256}, {256, 256}, {512, 256}, {512, 512}};

TlpLinkConfig config_of(const Link& link, unsigned mps_bytes) {
  TlpLinkConfig config;
  config.generation = link.generation;
  config.lanes = link.lanes;
  config.mps_bytes = mps_bytes;
  // As many as a receiver may advertise without scaled flow control.
  for (FlowCredits* credits : {&config.upstream_receiver, &config.downstream_receiver}) {
    credits->headers = {127, 127, 0};
    credits->data = {2047, 0, 0};
  }
  return config;
}

double raw_gbps(const TlpLinkConfig& config) {
  const LinkRate rate = link_rate(config.generation, config.lanes);
  return 8e3 * static_cast<double>(rate.denominator) / static_cast<double>(rate.numerator);
}

/// What is left for TLPs. `spacing_bytes`: between two Acks, and between two UpdateFCs.
double tlp_gbps(const TlpLinkConfig& config, double spacing_bytes) {
  return raw_gbps(config) * (1 - 2 * dllp_bytes / spacing_bytes - skip_share);
}

double published_tlp_gbps(const TlpLinkConfig& config) {
  return tlp_gbps(config, ack_limit_symbols(config.generation, config.lanes, config.mps_bytes));
}

/// The share of payload in packets of at most `most` bytes of it.
double payload_share(unsigned bytes, unsigned most, double header_bytes) {
  const unsigned packets = (bytes + most - 1) / most;
  return bytes / (packets * header_bytes + bytes);
}

double measured_write(const TlpLinkConfig& config, unsigned bytes, Time length) {
  EndTraffic both;
  both.write_bytes = bytes;
  return run_traffic(config, both, both, warm_up, length).from[TlpLink::downstream].write_gbps;
}

double measured_read(const TlpLinkConfig& config, unsigned bytes, Time length) {
  EndTraffic device, root;
  device.read_bytes = bytes;
  device.write_bytes = beside_reads_bytes;
  root.completion_bytes = config.mps_bytes;
  root.answer_ps = 100'000;
  return run_traffic(config, root, device, warm_up, length).from[TlpLink::upstream].read_gbps;
}

std::string name_of_point(const Link& link, const Size& size, const char* what) {
  return std::string(link.name) + " MPS " + std::to_string(size.mps_bytes) + " " + what + " " +
         std::to_string(size.bytes) + " B";
}

/// Picoseconds as bytes per second: `bytes` every `period`.
double gbps_of(double bytes, Time period) {
  return bytes * 8e3 / static_cast<double>(period);
}

/// Writes of 256 bytes to a receiver with room for one: the next leaves when the UpdateFC for the last has come.
LinkPoint data_starved(Time length) {
  TlpLinkConfig config = config_of(links[0], 256);
  config.upstream_receiver.data[0] = 16;
  EndTraffic device, root;
  device.write_bytes = 256;
  root.hold_ps = 300'000;
  const LinkRate rate = link_rate(config.generation, config.lanes);
  const Time loop = rate.serialisation(24 + 256) + rate.serialisation(8) + 2 * config.propagation_ps + root.hold_ps;
  return {.name = "gen3 x8: posted data credits for one TLP, kept 300 ns",
          .expected_gbps = gbps_of(256, loop),
          .measured_gbps = run_traffic(config, root, device, warm_up, length).from[TlpLink::downstream].write_gbps,
          .gate = 0.01,
          .published_gbps = published_tlp_gbps(config) * payload_share(256, 256, request_bytes)};
}

/// Writes of 64 bytes to a receiver with four headers: four for every round trip of a credit.
LinkPoint header_starved(Time length) {
  TlpLinkConfig config = config_of(links[2], 256);
  constexpr unsigned headers = 4;
  config.upstream_receiver.headers[0] = headers;
  EndTraffic device, root;
  device.write_bytes = 64;
  root.hold_ps = 400'000;
  const LinkRate rate = link_rate(config.generation, config.lanes);
  const Time loop = rate.serialisation(24 + 64) + rate.serialisation(8) + 2 * config.propagation_ps + root.hold_ps;
  return {.name = "gen5 x16: 4 posted header credits, kept 400 ns",
          .expected_gbps = gbps_of(headers * 64, loop),
          .measured_gbps = run_traffic(config, root, device, warm_up, length).from[TlpLink::downstream].write_gbps,
          .gate = 0.03,
          .published_gbps = published_tlp_gbps(config) * payload_share(64, 256, request_bytes)};
}

/// Reads of 64 bytes with few tags: each tag is used once in a round trip.
LinkPoint tag_starved(const Link& link, unsigned tags, Time length) {
  const TlpLinkConfig config = config_of(link, 256);
  EndTraffic device, root;
  device.read_bytes = 64;
  device.tags = tags;
  root.answer_ps = 500'000;
  const LinkRate rate = link_rate(config.generation, config.lanes);
  const Time loop = rate.serialisation(24) + rate.serialisation(20 + 64) + 2 * config.propagation_ps + root.answer_ps;
  return {.name = std::string(link.name) + ": " + std::to_string(tags) + " tags, 64 B reads answered in 500 ns",
          .expected_gbps = gbps_of(tags * 64.0, loop),
          .measured_gbps = run_traffic(config, root, device, warm_up, length).from[TlpLink::upstream].read_gbps,
          .gate = 0.02,
          .published_gbps = published_tlp_gbps(config) * payload_share(64, 256, completion_bytes)};
}

}  // namespace

std::vector<LinkPoint> saturated_points(Time length) {
  std::vector<LinkPoint> points;
  for (const Link& link : links) {
    for (const Size& size : sizes) {
      const TlpLinkConfig config = config_of(link, size.mps_bytes);
      const double tlps = published_tlp_gbps(config);
      points.push_back({.name = name_of_point(link, size, "write"),
                        .expected_gbps = tlps * payload_share(size.bytes, size.mps_bytes, request_bytes),
                        .measured_gbps = measured_write(config, size.bytes, length),
                        .gate = saturated_gate});
      points.push_back({.name = name_of_point(link, size, "read"),
                        .expected_gbps = tlps * payload_share(size.bytes, size.mps_bytes, completion_bytes),
                        .measured_gbps = measured_read(config, size.bytes, length),
                        .gate = saturated_gate});
    }
  }
  return points;
}

std::vector<LinkPoint> starved_points(Time length) {
  return {data_starved(length), header_starved(length), tag_starved(links[0], 8, length),
          tag_starved(links[2], 32, length)};
}

std::vector<LinkPoint> latest_dllp_points(Time length) {
  std::vector<LinkPoint> points;
  for (const Link& link : links) {
    const Size size{256, 256};
    TlpLinkConfig config = config_of(link, size.mps_bytes);
    config.dllp_spacing = DllpSpacing::latest;
    const double spacing = ack_limit_symbols(config.generation, config.lanes, config.mps_bytes) * config.lanes;
    const double share = payload_share(size.bytes, size.mps_bytes, request_bytes);
    points.push_back({.name = name_of_point(link, size, "write"),
                      .expected_gbps = tlp_gbps(config, spacing) * share,
                      .measured_gbps = measured_write(config, size.bytes, length),
                      .gate = saturated_gate,
                      .published_gbps = published_tlp_gbps(config) * share});
  }
  return points;
}

}  // namespace smmusim::validation
