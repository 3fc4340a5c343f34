// SPDX-License-Identifier: MIT
// Platform: the simulated machine of one PlatformConfig: endpoints, root complex, SMMUs, interconnect, memory,
// doorbells and CPU, bound to each other. Hardware only; what the driver sets up is machine_setup.h's, what happens
// is the player's.
//
// There can be one Platform in a process: the SystemC kernel can't be elaborated again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/sim/engine.h"
#include "platform/config/platform_config.h"
#include "platform/config/topology.h"
#include "platform/endpoint/bar_memory.h"
#include "platform/endpoint/iommu_testdev.h"
#include "platform/endpoint/nvme_controller.h"
#include "platform/endpoint/pcie_function.h"
#include "platform/memory/doorbell.h"
#include "platform/memory/interconnect.h"
#include "platform/memory/memory_module.h"
#include "platform/memory/sparse_memory.h"
#include "platform/nested/host_module.h"
#include "platform/pcie/ecam.h"
#include "platform/pcie/mmio_window.h"
#include "platform/pcie/pcie_window.h"
#include "platform/pcie/root_complex.h"
#include "platform/pcie/switch.h"
#include "platform/system/cpu.h"
#include "tlm/pump.h"
#include "tlm/smmu_module.h"

namespace smmusim {

class Platform {
 public:
  /// `config.endpoints` is complete: at least one. Throws std::invalid_argument for parts that don't fit together.
  explicit Platform(const PlatformConfig& config);

  Engine& engine() { return engine_; }
  systemc::Pump& pump() { return *pump_; }
  SparseMemory& memory() { return memory_; }
  platform::Cpu& cpu() { return *cpu_; }
  std::size_t smmus() const { return smmus_.size(); }
  systemc::SmmuModule& smmu(std::size_t index) { return *smmus_[index]; }
  std::size_t endpoints() const { return endpoints_.size(); }
  platform::PcieFunction& endpoint(std::size_t index) { return *endpoints_[index]; }
  platform::TlpLink& link(std::size_t index) { return *links_[index]; }
  /// The controller that endpoint `index` is, and its namespace; null: it is another device.
  platform::NvmeController* nvme(std::size_t index) { return devices_[index].controller.get(); }
  platform::NvmeNamespace* blocks(std::size_t index) { return devices_[index].blocks.get(); }
  /// A switch with what is around it.
  struct SwitchUnit {
    SwitchPlace place;
    platform::BridgeConfig root_port;
    platform::TlpLink link;  ///< to the root port
    platform::Switch fabric;
    SwitchUnit(Engine& engine, platform::TlpPool& pool, const SwitchPlace& where, const PlatformConfig& config);
  };
  std::size_t switches() const { return switches_.size(); }
  SwitchUnit& switch_unit(std::size_t index) { return *switches_[index]; }
  const platform::RootComplex& root_complex() const { return *root_complex_; }
  const platform::Interconnect& interconnect() const { return *interconnect_; }
  platform::Doorbell& doorbell() { return *doorbell_; }
  /// The host that the SMMUs are accelerated by, and through whose SMMUs all DMA goes; null: there is none.
  host::SimulatedHost* host() { return host_ ? &host_->host() : nullptr; }

  /// Empty, or a sentence about a sum of the PCIe fabric that does not come out. For the end of a run.
  std::string imbalance() const;

  /// Runs until nothing is left to happen. Throws what an event threw.
  void run();

 private:
  struct Device {
    std::unique_ptr<platform::NvmeNamespace> blocks;
    std::unique_ptr<platform::NvmeController> controller;
    std::unique_ptr<platform::IommuTestdev> testdev;
  };

  void build_smmus(const PlatformConfig& config);
  void build_host(const PlatformConfig& config);
  void connect_clients(const PlatformConfig& config);
  void build_endpoints(const PlatformConfig& config);
  void build_device(const PlatformConfig& config, const EndpointConfig& endpoint);
  void build_nvme(Device& made, const PlatformConfig& config, const EndpointConfig& endpoint);
  void build_switches(const PlatformConfig& config);
  void connect_endpoint(std::size_t index, unsigned root_port, const PlatformConfig& config);
  void build_interconnect(const PlatformConfig& config);

  Engine engine_;
  SparseMemory memory_;
  std::unique_ptr<systemc::Pump> pump_;
  std::unique_ptr<platform::Cpu> cpu_;
  std::vector<std::unique_ptr<systemc::SmmuModule>> smmus_;
  std::unique_ptr<nested::HostModule> host_;
  platform::TlpPool tlps_;
  std::vector<std::unique_ptr<platform::PcieFunction>> endpoints_;
  std::vector<std::unique_ptr<platform::TlpLink>> links_;           // each endpoint's own, to its root port or switch
  std::vector<Device> devices_;                                     // by endpoint; of one kind or none
  std::unique_ptr<platform::MmioWindow> mmio_;                      // null: no endpoint has registers
  std::vector<std::unique_ptr<platform::BarMemory>> bar_memories_;  // by endpoint
  std::vector<std::unique_ptr<platform::FunctionTarget>> targets_;  // by endpoint
  std::vector<std::unique_ptr<SwitchUnit>> switches_;
  platform::RootBus root_bus_;
  std::unique_ptr<platform::RootComplex> root_complex_;
  std::unique_ptr<platform::PcieWindow> window_;  // null: there is no switch
  std::unique_ptr<platform::Ecam> ecam_;
  std::unique_ptr<platform::Interconnect> interconnect_;
  std::unique_ptr<platform::MemoryModule> memory_module_;
  std::unique_ptr<platform::Doorbell> doorbell_;
};

}  // namespace smmusim
