// SPDX-License-Identifier: MIT
// An NVMe controller's registers and admin commands.
#include "tests/unit/nvme_bench.h"

namespace smmusim::platform {
namespace {

using nvme::Status;
namespace reg = nvme::reg;

std::uint32_t word_at(NvmeBench& bench, std::uint64_t address) {
  std::uint32_t value = 0;
  bench.memory.peek(Pa(address), &value, sizeof value);
  return value;
}

TEST(NvmeRegisters, TellWhatTheControllerIs) {
  NvmeConfig config;
  config.queue_entries = 128;
  NvmeBench bench(config);
  const std::uint64_t cap = bench.read(reg::CAP, 8);
  EXPECT_EQ(cap & 0xffff, 127U);
  EXPECT_EQ(cap >> 16 & 1, 1U);     // contiguous queues
  EXPECT_EQ(cap >> 32 & 0xf, 0U);   // doorbell stride
  EXPECT_EQ(cap >> 37 & 0xff, 1U);  // NVM command set
  EXPECT_EQ(cap >> 48 & 0xf, 0U);   // 4 KiB
  EXPECT_EQ(bench.read(reg::CAP), cap & 0xffff'ffff);
  EXPECT_EQ(bench.read(reg::CAP + 4), cap >> 32);
  EXPECT_EQ(bench.read(reg::CAP + 1, 1), 0U);
  EXPECT_EQ(bench.read(reg::VS), 0x0001'0400U);
  EXPECT_EQ(bench.read(reg::VS + 2, 2), 1U);
  EXPECT_EQ(bench.status(), 0U);
  const FunctionConfig& function = bench.function.config_space();
  EXPECT_EQ(function.bar_bytes(0), 0x4000U);
  EXPECT_EQ(function.description().class_code, 0x010802U);
}

TEST(NvmeRegisters, QueueBasesAreOfPages) {
  NvmeBench bench;
  bench.write(reg::ASQ, ~std::uint64_t{0}, 8);
  bench.write(reg::ACQ + 4, 0x12);
  bench.write(reg::ACQ, 0x3456'7fff);
  bench.write(reg::AQA, ~0U);
  EXPECT_EQ(bench.read(reg::ASQ, 8), 0xffff'ffff'ffff'f000U);
  EXPECT_EQ(bench.read(reg::ACQ, 8), 0x12'3456'7000U);
  EXPECT_EQ(bench.read(reg::AQA), 0x0fff'0fffU);
  bench.write(reg::AQA, 0, 1);  // smaller than a doubleword
  EXPECT_EQ(bench.read(reg::AQA), 0x0fff'0fffU);
}

TEST(NvmeRegisters, EnableMakesReadyAndDisableEndsIt) {
  NvmeBench bench;
  bench.enable();
  EXPECT_EQ(bench.status(), nvme::csts_ready);
  bench.write(reg::CC, 0);
  EXPECT_EQ(bench.status(), 0U);
  bench.enable();
  EXPECT_EQ(bench.status(), nvme::csts_ready);
  EXPECT_EQ(bench.controller.counters().resets, 1U);
}

TEST(NvmeRegisters, WhatCanNotBeEnabledIsFatal) {
  struct Row {
    const char* what;
    std::uint32_t cc, aqa;
    std::uint64_t asq;
  };
  constexpr std::uint32_t good = 1 | 0x46 << 16, sizes = 15U << 16 | 15;
  const Row rows[] = {
      {"arbitration", good | 1U << 11, sizes, NvmeBench::asq},
      {"command set", good | 1U << 4, sizes, NvmeBench::asq},
      {"page size", good | 5U << 7, sizes, NvmeBench::asq},
      {"base within a page of 64 KiB", good | 4U << 7, sizes, NvmeBench::asq + 0x1000},
      {"one entry", good, 15U << 16, NvmeBench::asq},
      {"one completion", good, 15, NvmeBench::asq},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    NvmeBench bench;
    bench.write(reg::AQA, row.aqa);
    bench.write(reg::ASQ, row.asq, 8);
    bench.write(reg::ACQ, NvmeBench::acq, 8);
    bench.write(reg::CC, row.cc);
    EXPECT_EQ(bench.status(), nvme::csts_fatal);
    bench.write(reg::CC, 0);
    EXPECT_EQ(bench.status(), 0U);
    bench.start();
    EXPECT_EQ(bench.status(), nvme::csts_ready);
  }
}

TEST(NvmeRegisters, ShutdownIsAcknowledged) {
  NvmeBench bench;
  bench.start();
  bench.write(reg::CC, 1 | 0x46 << 16 | 1 << 14);
  EXPECT_EQ(bench.status(), nvme::csts_ready | nvme::csts_shutdown_complete);
  bench.write(reg::CC, 0);
  EXPECT_EQ(bench.status() & nvme::csts_ready, 0U);
}

TEST(NvmeAdmin, IdentifyController) {
  NvmeConfig config;
  config.serial = "S1";
  config.transfer_pages_log2 = 5;
  NvmeBench bench(config);
  bench.enable();
  nvme::Command identify = bench.command(nvme::admin::identify);
  identify.dw[10] = nvme::cns::controller;
  identify.set_prps(NvmeBench::buffer + 0x800, NvmeBench::buffer + 0x4000);  // in two pages
  EXPECT_EQ(bench.status_of(0, identify), Status::success);
  std::vector<unsigned char> page = bench.bytes_at(NvmeBench::buffer + 0x800, 0x800);
  const std::vector<unsigned char> rest = bench.bytes_at(NvmeBench::buffer + 0x4000, 0x800);
  page.insert(page.end(), rest.begin(), rest.end());
  EXPECT_EQ(std::string(page.begin() + 4, page.begin() + 24), "S1                  ");
  EXPECT_EQ(page[77], 5);
  EXPECT_EQ(page[512], 0x66);
  EXPECT_EQ(page[513], 0x44);
  EXPECT_EQ(page[516], 1);
  EXPECT_EQ(page[2048], 1);
  EXPECT_EQ(bench.root.interrupts, std::vector<std::uint32_t>{0});
}

TEST(NvmeAdmin, IdentifyNamespaceAndLists) {
  NvmeBench bench({}, 12, std::uint64_t{1000});
  bench.enable();
  const auto identify = [&](std::uint8_t what, std::uint32_t nsid) {
    nvme::Command command = bench.command(nvme::admin::identify, nsid);
    command.dw[10] = what;
    command.set_prps(NvmeBench::buffer, 0);
    return bench.status_of(0, command);
  };
  EXPECT_EQ(identify(nvme::cns::identify_namespace, 1), Status::success);
  EXPECT_EQ(word_at(bench, NvmeBench::buffer), 1000U);
  EXPECT_EQ(word_at(bench, NvmeBench::buffer + 8), 1000U);
  EXPECT_EQ(word_at(bench, NvmeBench::buffer + 128) >> 16 & 0xff, 12U);
  EXPECT_EQ(identify(nvme::cns::active_namespaces, 0), Status::success);
  EXPECT_EQ(word_at(bench, NvmeBench::buffer), 1U);
  EXPECT_EQ(word_at(bench, NvmeBench::buffer + 4), 0U);
  EXPECT_EQ(identify(nvme::cns::active_namespaces, 1), Status::success);
  EXPECT_EQ(word_at(bench, NvmeBench::buffer), 0U);
  EXPECT_EQ(identify(nvme::cns::descriptors, 1), Status::success);
  EXPECT_EQ(word_at(bench, NvmeBench::buffer), 0x0801U);
  for (const std::uint32_t nsid : {0U, 2U, ~0U}) {
    EXPECT_EQ(identify(nvme::cns::identify_namespace, nsid), Status::invalid_namespace) << nsid;
    EXPECT_EQ(identify(nvme::cns::descriptors, nsid), Status::invalid_namespace) << nsid;
  }
  EXPECT_EQ(identify(nvme::cns::active_namespaces, 0xffff'fffe), Status::invalid_namespace);
  EXPECT_EQ(identify(0x77, 1), Status::invalid_field);
}

TEST(NvmeAdmin, QueueCreationChecksEveryField) {
  NvmeConfig config;
  config.io_queues = 4;
  config.queue_entries = 64;
  NvmeBench bench(config);
  bench.enable();
  EXPECT_EQ(bench.status_of(0, bench.create_cq(0, 16, 0)), Status::invalid_queue_identifier);
  EXPECT_EQ(bench.status_of(0, bench.create_cq(5, 16, 0)), Status::invalid_queue_identifier);
  EXPECT_EQ(bench.status_of(0, bench.create_cq(1, 1, 0)), Status::invalid_queue_size);
  EXPECT_EQ(bench.status_of(0, bench.create_cq(1, 65, 0)), Status::invalid_queue_size);
  EXPECT_EQ(bench.status_of(0, bench.create_cq(1, 16, 0, 2)), Status::invalid_field);  // not contiguous
  EXPECT_EQ(bench.status_of(0, bench.create_cq(1, 16, 5)), Status::invalid_interrupt_vector);
  nvme::Command misaligned = bench.create_cq(1, 16, 1);
  misaligned.set_prps(NvmeBench::io_queues + 0x10, 0);
  EXPECT_EQ(bench.status_of(0, misaligned), Status::invalid_prp_offset);
  EXPECT_EQ(bench.status_of(0, bench.create_sq(1, 16, 1)), Status::invalid_completion_queue);
  EXPECT_EQ(bench.status_of(0, bench.create_sq(1, 16, 0)), Status::invalid_queue_identifier);
  bench.create_queues(1);
  EXPECT_EQ(bench.status_of(0, bench.create_cq(1, 16, 1)), Status::invalid_queue_identifier);
  EXPECT_EQ(bench.status_of(0, bench.create_sq(1, 16, 1)), Status::invalid_queue_identifier);
  bench.expect_quiet();
}

TEST(NvmeAdmin, EntrySizesComeFromTheControllersConfiguration) {
  NvmeBench bench;
  bench.enable();
  bench.write(reg::CC, 1 | 0x35 << 16);
  EXPECT_EQ(bench.status_of(0, bench.create_cq(1, 16, 0)), Status::invalid_queue_size);
  bench.write(reg::CC, 1 | 0x45 << 16);
  EXPECT_EQ(bench.status_of(0, bench.create_cq(1, 16, 0)), Status::success);
  EXPECT_EQ(bench.status_of(0, bench.create_sq(1, 16, 1)), Status::invalid_queue_size);
}

TEST(NvmeAdmin, QueuesAreDeletedInTheirOrder) {
  NvmeBench bench;
  bench.start();
  const auto remove = [&](std::uint8_t opcode, unsigned id) {
    return bench.status_of(0, bench.delete_queue(opcode, id));
  };
  EXPECT_EQ(remove(nvme::admin::delete_cq, 1), Status::invalid_queue_deletion);
  EXPECT_EQ(remove(nvme::admin::delete_sq, 2), Status::invalid_queue_identifier);
  EXPECT_EQ(remove(nvme::admin::delete_sq, 0), Status::invalid_queue_identifier);
  EXPECT_EQ(remove(nvme::admin::delete_cq, 0), Status::invalid_queue_identifier);
  EXPECT_EQ(remove(nvme::admin::delete_sq, 1), Status::success);
  EXPECT_EQ(remove(nvme::admin::delete_sq, 1), Status::invalid_queue_identifier);
  EXPECT_EQ(remove(nvme::admin::delete_cq, 1), Status::success);
  bench.create_queues(1);
}

TEST(NvmeAdmin, FeaturesAreRemembered) {
  NvmeBench bench;
  bench.enable();
  const auto features = [&](std::uint8_t opcode, std::uint32_t dw10, std::uint32_t dw11 = 0) {
    nvme::Command command = bench.command(opcode);
    command.dw[10] = dw10;
    command.dw[11] = dw11;
    return bench.done(0, command);
  };
  EXPECT_EQ(features(nvme::admin::set_features, nvme::feature::queues, 0x000f'000f).result, 0x0007'0007U);
  EXPECT_EQ(features(nvme::admin::get_features, nvme::feature::queues).result, 0x0007'0007U);
  EXPECT_EQ(features(nvme::admin::set_features, nvme::feature::queues, 0xffff).status(), Status::invalid_field);
  EXPECT_EQ(features(nvme::admin::set_features, nvme::feature::write_cache, 1).status(), Status::success);
  EXPECT_EQ(features(nvme::admin::get_features, nvme::feature::write_cache).result, 1U);
  EXPECT_EQ(features(nvme::admin::get_features, nvme::feature::write_cache | 1 << 8).result, 0U);  // its default
  EXPECT_EQ(features(nvme::admin::get_features, nvme::feature::write_cache | 3 << 8).result, 4U);  // changeable
  EXPECT_EQ(features(nvme::admin::set_features, nvme::feature::write_cache | 1U << 31).status(),
            Status::feature_not_saveable);
  for (const std::uint8_t opcode : {nvme::admin::set_features, nvme::admin::get_features}) {
    EXPECT_EQ(features(opcode, 0x7f).status(), Status::invalid_field);
  }
  bench.create_queues(1);
  EXPECT_EQ(features(nvme::admin::set_features, nvme::feature::queues, 0).status(), Status::command_sequence_error);
}

TEST(NvmeAdmin, LogPages) {
  NvmeBench bench;
  bench.enable();
  const auto log = [&](unsigned page, unsigned words, std::uint32_t offset = 0) {
    nvme::Command command = bench.command(nvme::admin::get_log_page, ~0U);
    command.dw[10] = page | (words - 1) << 16;
    command.dw[12] = offset;
    command.set_prps(NvmeBench::buffer, 0);
    return bench.status_of(0, command);
  };
  EXPECT_EQ(log(nvme::log_page::health, 128), Status::success);
  EXPECT_EQ(word_at(bench, NvmeBench::buffer) >> 8 & 0xffff, 300U);
  EXPECT_EQ(log(nvme::log_page::errors, 16), Status::success);
  EXPECT_EQ(log(0x40, 16), Status::invalid_log_page);
  EXPECT_EQ(log(nvme::log_page::health, 128, 64), Status::invalid_field);
}

TEST(NvmeAdmin, BadDoorbellsBecomeEvents) {
  NvmeBench bench;
  bench.start();
  const nvme::Command request = bench.command(nvme::admin::async_event_request);
  bench.submit(0, request);
  bench.run();
  EXPECT_FALSE(bench.take(0).has_value());
  bench.write(reg::sq_tail(9), 1);  // no such queue
  bench.run();
  const std::optional<nvme::Completion> event = bench.take(0);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->command_id, request.id());
  EXPECT_EQ(event->result, 0x0001'0000U);
  // The next comes when the log has been read, and says what the first of them was.
  bench.submit(0, bench.command(nvme::admin::async_event_request));
  bench.write(reg::sq_tail(1), 16);
  bench.run();
  EXPECT_FALSE(bench.take(0).has_value());
  nvme::Command log = bench.command(nvme::admin::get_log_page, ~0U);
  log.dw[10] = nvme::log_page::errors | 15 << 16;
  log.set_prps(NvmeBench::buffer, 0);
  EXPECT_EQ(bench.status_of(0, log), Status::success);
  bench.write(reg::cq_head(1), 1);  // more than there is
  bench.run();
  const std::optional<nvme::Completion> next = bench.take(0);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->result, 0x0001'0100U);
  EXPECT_EQ(bench.controller.counters().bad_doorbells, 3U);
  EXPECT_EQ(bench.status(), nvme::csts_ready);
}

TEST(NvmeAdmin, EventRequestsAreLimitedAndCanBeAborted) {
  NvmeBench bench;
  bench.enable();
  std::vector<std::uint16_t> ids;
  for (unsigned i = 0; i != 4; ++i) {
    const nvme::Command request = bench.command(nvme::admin::async_event_request);
    ids.push_back(request.id());
    bench.submit(0, request);
  }
  EXPECT_EQ(bench.status_of(0, bench.command(nvme::admin::async_event_request)), Status::async_event_limit);
  nvme::Command abort = bench.command(nvme::admin::abort);
  abort.dw[10] = std::uint32_t{ids[2]} << 16;
  bench.submit(0, abort);
  bench.run();
  std::vector<Status> statuses;
  while (const std::optional<nvme::Completion> found = bench.take(0)) {
    statuses.push_back(found->status());
    if (found->status() == Status::success) {
      EXPECT_EQ(found->result, 0U);
    } else {
      EXPECT_EQ(found->command_id, ids[2]);
    }
  }
  EXPECT_EQ(statuses.size(), 2U);
  EXPECT_EQ(std::count(statuses.begin(), statuses.end(), Status::abort_requested), 1);
  abort.dw[0] += 0x1'0000;
  EXPECT_EQ(bench.done(0, abort).result, 1U);  // nothing of that number any more
  EXPECT_EQ(bench.function.idle(), true);
}

TEST(NvmeAdmin, UnknownCommandsAndFormatsAreRefused) {
  NvmeBench bench;
  bench.start();
  EXPECT_EQ(bench.status_of(0, bench.command(0x7f)), Status::invalid_opcode);
  EXPECT_EQ(bench.status_of(1, bench.command(0x7f, 1)), Status::invalid_opcode);
  for (const std::uint32_t bits : {1U << 8, 1U << 14, 2U << 14}) {  // FUSE, PSDT
    for (const unsigned queue : {0U, 1U}) {
      nvme::Command command =
          queue == 0 ? bench.command(nvme::admin::identify) : bench.io(nvme::io::read, 0, 1, NvmeBench::buffer);
      command.dw[0] |= bits;
      const nvme::Completion completion = bench.done(queue, command);
      EXPECT_EQ(completion.status(), Status::invalid_field);
      EXPECT_NE(completion.phase_and_status & nvme::Completion::do_not_retry, 0);
    }
  }
}

}  // namespace
}  // namespace smmusim::platform
