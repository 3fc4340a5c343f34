// SPDX-License-Identifier: MIT
// The rows of the feature table. A feature that appears changes its word in the status column from `no` to `yes`; the
// sentence behind it may stay, because it is shown only where something is missing.
#include "platform/conformance/feature_table.h"

namespace smmusim::conformance {
namespace {

constexpr Status yes = Status::implemented;
[[maybe_unused]] constexpr Status partly = Status::partly;
constexpr Status no = Status::absent;

constexpr std::string_view other_states = "only Non-secure streams are modelled";
constexpr std::string_view no_pmcg = "performance monitors are a later step";

constexpr FeatureRow rows[] = {
    // field, name, what it is, since v3.x, mandatory from, status, what is missing, keys
    {"AIDR.ArchMinorRev", "version", "SMMUv3.0 to SMMUv3.4", 0, "v3.0", yes, "", "smmu.version"},
    {"IIDR.Implementer", "identity", "implementer, product, variant and revision", 0, "v3.0", yes, "",
     "smmu.implementer smmu.product_id smmu.variant smmu.revision"},

    {"IDR0.S1P", "S1P", "stage-1 translation", 0, "v3.0, without S2P", yes, "", "smmu.stages"},
    {"IDR0.S2P", "S2P", "stage-2 translation, nested with S1P", 0, "v3.0, without S1P", yes, "", "smmu.stages"},
    {"IDR0.TTF", "TTFAA64", "VMSAv8-64 translation tables", 0, "v3.0, without TTFAA32", yes, "", "smmu.ttf_vmsav8_64"},
    {"IDR0.TTF", "TTFAA32", "VMSAv8-32 LPAE translation tables", 0, "v3.0, without TTFAA64", no,
     "only 64-bit formats are walked", "smmu.ttf_lpae"},
    {"IDR0.COHACC", "COHACC", "the SMMU's own accesses are coherent", 0, "", yes, "", "smmu.cohacc"},
    {"IDR0.BTM", "BTM", "TLB maintenance broadcast by processors", 0, "", no, "there are no processors that broadcast",
     "smmu.btm"},
    {"IDR0.HTTU", "HTTUA", "hardware update of the Access flag", 0, "", yes, "AF = 0 is F_ACCESS", "smmu.httu"},
    {"IDR0.HTTU", "HTTUD", "hardware update of the dirty state", 0, "", yes, "writes need a writable descriptor",
     "smmu.httu"},
    {"IDR0.HTTU", "HAFT", "Access flag of table descriptors", 4, "", yes, "the flag of a table descriptor is ignored",
     "smmu.httu"},
    {"IDR0.DORMHINT", "DORMHINT", "STATUSR tells that nothing is cached", 0, "", no, "STATUSR reads 0",
     "smmu.dormhint"},
    {"IDR0.HYP", "Hyp", "stage-1 contexts of EL2 and EL2-E2H", 0, "v3.2, with both stages", yes, "", "smmu.hyp"},
    {"IDR0.ATS", "ATS", "PCIe Address Translation Services", 0, "", yes, "", "smmu.ats"},
    {"IDR0.NS1ATS", "NS1ATS", "split-stage ATS (field is 0)", 0, "", yes, "", "smmu.split_stage_ats"},
    {"IDR0.ASID16", "ASID16", "16-bit ASIDs", 0, "", yes, "", "smmu.asid16"},
    {"IDR0.MSI", "MSI", "message-signalled interrupts", 0, "", yes, "", "smmu.msi"},
    {"IDR0.SEV", "SEV", "wake-up events to processors", 0, "", yes, "", "smmu.sev"},
    {"IDR0.ATOS", "ATOS", "address translation operation registers", 0, "", no, "GATOS_* are RES0", "smmu.atos"},
    {"IDR0.PRI", "PRI", "PCIe Page Request Interface and its queue", 0, "", yes, "", "smmu.pri smmu.priqs"},
    {"IDR0.VMW", "VMW", "VMID wildcards of invalidation", 0, "", yes, "", "smmu.vmw"},
    {"IDR0.VMID16", "VMID16", "16-bit VMIDs", 0, "", yes, "", "smmu.vmid16"},
    {"IDR0.CD2L", "CD2L", "two-level tables of Context descriptors", 0, "", yes, "", "smmu.cd2l"},
    {"IDR0.VATOS", "VATOS", "ATOS page for a virtual machine", 0, "", no, "comes with ATOS",
     "smmu.vatos smmu.ba_vatos"},
    {"IDR0.TTENDIAN", "TTENDIAN", "little- and big-endian translation tables", 0, "", yes, "", "smmu.ttendian"},
    {"IDR0.ATSRECERR", "ATSRECERR", "events for configuration errors of ATS", 3, "", yes, "", "smmu.atsrecerr"},
    {"IDR0.STALL_MODEL", "terminate", "faulting transactions end", 0, "", yes, "", ""},
    {"IDR0.STALL_MODEL", "stall", "faulting transactions wait for CMD_RESUME", 0, "", yes,
     "STEs and CDs that ask for it are ILLEGAL", "smmu.stall smmu.stall_max"},
    {"IDR0.TERM_MODEL", "TERM_MODEL", "termination is always an abort, CD.A = 1", 0, "", yes, "", "smmu.term_model"},
    {"IDR0.ST_LEVEL", "ST_LEVEL", "two-level Stream tables", 0, "v3.0, with more than 64 StreamIDs", yes, "",
     "smmu.st_level"},
    {"IDR0.RME_IMPL", "RME_IMPL", "granule protection faults seen by Non-secure software", 3, "", no, other_states,
     "smmu.rme_impl"},

    {"IDR1.SIDSIZE", "SIDSIZE", "StreamIDs of 0 to 32 bits", 0, "v3.0", yes, "", "smmu.sidsize"},
    {"IDR1.SSIDSIZE", "SSIDSIZE", "SubstreamIDs (PASIDs) of 0 to 20 bits", 0, "", yes, "", "smmu.ssidsize"},
    {"IDR1.CMDQS", "CMDQS", "Command queue of up to 2^19 entries", 0, "v3.0", yes, "", "smmu.cmdqs"},
    {"IDR1.EVENTQS", "EVENTQS", "Event queue of up to 2^19 entries", 0, "v3.0", yes, "", "smmu.eventqs"},
    {"IDR1.ATTR_TYPES_OVR", "ATTR_TYPES_OVR", "memory attributes of the client can be overridden", 0, "", yes, "",
     "smmu.attr_types_ovr"},
    {"IDR1.ATTR_PERMS_OVR", "ATTR_PERMS_OVR", "privilege and instruction marks can be overridden", 0, "", yes, "",
     "smmu.attr_perms_ovr"},
    {"IDR1.TABLES_PRESET", "TABLES_PRESET", "place of the Stream table fixed by the system", 0, "", no,
     "software sets STRTAB_BASE", "smmu.tables_preset smmu.rel"},
    {"IDR1.QUEUES_PRESET", "QUEUES_PRESET", "places of the queues fixed by the system", 0, "", no,
     "software sets the queues' bases", "smmu.queues_preset smmu.rel"},
    {"IDR1.ECMDQ", "ECMDQ", "enhanced Command queues", 3, "", no, "there is one Command queue",
     "smmu.ecmdq smmu.cmdq_control_page_log2nump smmu.cmdq_control_page_log2numq"},

    {"IDR3.HAD", "HAD", "hierarchical attributes can be disabled", 0, "v3.1, with stage 1", yes, "", "smmu.had"},
    {"IDR3.PBHA", "TTPBHA", "page-based hardware attributes", 1, "", no, "accesses carry no such bits", "smmu.pbha"},
    {"IDR3.XNX", "XNX", "execute-never by privilege at stage 2", 1, "v3.1, with stage 2", yes, "", "smmu.xnx"},
    {"IDR3.PPS", "PPS", "PASID in automatic page responses", 0, "", yes, "", "smmu.pps"},
    {"IDR3.MPAM", "MPAM", "memory partitioning and monitoring, VMS", 2, "", yes, "",
     "smmu.mpam smmu.partid_max smmu.pmg_max"},
    {"IDR3.FWB", "S2FWB", "stage 2 forces Write-Back", 2, "v3.2", yes, "", "smmu.fwb"},
    {"IDR3.STT", "STT", "small translation tables", 2, "v3.2, with SEL2", yes, "", "smmu.stt"},
    {"IDR3.RIL", "RIL", "range invalidation and level hint", 2, "v3.2", yes, "", "smmu.ril"},
    {"IDR3.BBML", "BBML1, BBML2", "table updates without break-before-make", 2, "v3.2", yes, "", "smmu.bbml"},
    {"IDR3.E0PD", "E0PD", "unprivileged access denied by half of the VA space", 3, "v3.3", yes, "", "smmu.e0pd"},
    {"IDR3.PTWNNC", "PTWNNC", "walks of Device memory are Normal Non-cacheable", 3, "v3.3, with stage 2", yes, "",
     "smmu.ptwnnc"},
    {"IDR3.DPT", "DPT_NS", "Device Permission Table of Non-secure state", 3, "", no,
     "checks of ATS Translated transactions beyond the STE", "smmu.dpt"},
    {"IDR3.PASIDTT", "PASIDTT", "PASID on ATS Translated transactions", 4, "", yes, "", "smmu.pasidtt"},
    {"IDR3.EPAN", "PAN3", "enhanced privileged access never", 4, "v3.4", yes, "", "smmu.epan"},
    {"IDR3.S1PI", "S1PIE", "stage-1 permission indirection", 4, "", no, "permissions are direct", "smmu.s1pi"},
    {"IDR3.S2PI", "S2PIE", "stage-2 permission indirection", 4, "", no, "permissions are direct", "smmu.s2pi"},
    {"IDR3.S2PO", "S2POE", "stage-2 permission overlay", 4, "", no, "comes with S2PIE", "smmu.s2po"},
    {"IDR3.THE", "THE", "translation hardening", 4, "", no, "no descriptor is Protected", "smmu.the"},
    {"IDR3.MTEPERM", "MTE_PERM", "stage-2 NoTagAccess encodings", 4, "v3.4, with stage 2", yes, "", "smmu.mteperm"},
    {"IDR3.AIE", "AIE", "attribute index of four bits", 4, "", no, "MAIR2 is not used", "smmu.aie"},

    {"IDR4.-", "IDR4", "IMPLEMENTATION DEFINED register", 0, "", yes, "", "smmu.idr4"},

    {"IDR5.OAS", "OAS", "output addresses of 32 to 48 bits", 0, "v3.0", yes, "", "smmu.oas"},
    {"IDR5.OAS", "LPA", "output addresses of 52 bits", 1, "", yes, "", "smmu.oas"},
    {"IDR5.VAX", "VAX", "input addresses of 52 bits", 1, "", yes, "", "smmu.vax"},
    {"IDR5.GRAN4K", "GRAN4K", "4 KiB granule", 0, "v3.0, with TTFAA32", yes, "", "smmu.granules"},
    {"IDR5.GRAN16K", "GRAN16K", "16 KiB granule", 0, "", yes, "", "smmu.granules"},
    {"IDR5.GRAN64K", "GRAN64K", "64 KiB granule", 0, "", yes, "", "smmu.granules"},
    {"IDR5.DS", "LPA2", "52-bit addresses with granules of 4 and 16 KiB", 4, "", yes, "", "smmu.ds"},
    {"IDR5.D128", "D128", "128-bit descriptors", 4, "", no, "only 64-bit formats are walked", "smmu.d128"},
    {"IDR5.VAX", "LVA3", "56-bit input and output addresses", 4, "", no, "comes with D128", "smmu.vax smmu.oas"},

    {"AIDR.-", "CMO", "cache maintenance by clients", 0, "", yes, "", ""},
    {"AIDR.-", "stash", "cache-stash and destructive reads of clients, STE.DCP and DRE", 1, "", yes, "", ""},
    {"AIDR.-", "speculation", "speculative accesses of clients", 0, "", yes, "", ""},
    {"AIDR.-", "RAS", "error records and service failure mode", 0, "", no, "the model's memories have no errors", ""},

    {"S_IDR1.SECURE_IMPL", "SECURE_IMPL", "Secure streams and their registers", 0, "", no, other_states, ""},
    {"S_IDR1.SEL2", "SecEL2", "Secure EL2 and Secure stage 2", 2, "", no, other_states, ""},
    {"S_IDR0.ECMDQ", "SEC_ECMDQ", "enhanced Command queues of Secure state", 3, "", no, other_states, ""},
    {"S_MPAMIDR.HAS_MPAM_NS", "MPAM_NS", "Secure traffic in the Non-secure PARTID space", 3, "", no, other_states, ""},
    {"ROOT_IDR0.ROOT_IMPL", "RME_ROOT_IMPL", "granule protection checks", 3, "", no, other_states, ""},
    {"ROOT_IDR0.BGPTM", "RME_BGPTM", "broadcast TLBI by PA", 3, "", no, other_states, ""},
    {"ROOT_IDR0.RGPTM", "RME_RGPTM", "TLBI by PA through registers", 3, "", no, other_states, ""},
    {"ROOT_IDR0.REALM_IMPL", "RME_DA", "Realm streams and their registers", 3, "", no, other_states, ""},
    {"R_IDR3.MEC", "MEC_R", "memory encryption contexts", 3, "", no, other_states, ""},
    {"R_IDR3.DPT", "DPT_R", "Device Permission Table of Realm state", 3, "", no, other_states, ""},

    {"PMCG_CFGR.NCTR", "PMCG", "performance monitor counter groups", 0, "", no, no_pmcg, ""},
    {"PMCG_CFGR.SID_FILTER_TYPE", "SID_FILTER_TYPE_ALL", "one StreamID filter for all counters", 0, "", no, no_pmcg,
     ""},
    {"PMCG_CFGR.CAPTURE", "CAPTURE", "software captures all counters at once", 0, "", no, no_pmcg, ""},
    {"PMCG_CFGR.MSI", "PMCG MSI", "message-signalled interrupts of a counter group", 0, "", no, no_pmcg, ""},
    {"PMCG_CFGR.RELOC_CTRS", "RELOC_CTRS", "counters in a page of their own", 0, "", no, no_pmcg, ""},
    {"PMCG_CFGR.MPAM", "PMCG MPAM", "PARTID and PMG of a counter group's MSIs", 2, "", no, no_pmcg, ""},
    {"PMCG_CFGR.FILTER_PARTID_PMG", "FILTER_MPAM", "events filtered by PARTID and PMG", 3, "", no, no_pmcg, ""},
    {"PMCG_SCR.-", "PMCG SECURE_IMPL", "events of several Security states", 0, "", no, no_pmcg, ""},
    {"PMCG_S_MPAMIDR.HAS_MPAM_NS", "PMCG MPAM_NS", "Secure MSIs of a group in the Non-secure PARTID space", 3, "", no,
     no_pmcg, ""},
};

}  // namespace

std::string_view to_string(Status status) {
  switch (status) {
    case Status::implemented:
      return "implemented";
    case Status::partly:
      return "partly";
    case Status::absent:
      return "not";
  }
  return "";
}

std::span<const FeatureRow> feature_table() {
  return rows;
}

}  // namespace smmusim::conformance
