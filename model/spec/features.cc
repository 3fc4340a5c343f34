// SPDX-License-Identifier: MIT
// ID registers from Features and back (IHI 0070 sections 6.3.1 to 6.3.8 and 6.3.45). One visitor per register names
// each field's member once, so that the two directions cannot differ. No rule is checked here, only that numbers fit.
#include "model/spec/features.h"

#include <stdexcept>
#include <string>

#include "model/spec/codes.h"
#include "model/spec/id_registers.h"
#include "model/spec/registers_optional.h"

namespace smmusim::spec {
namespace {

/// Writes members into a register word.
struct Put {
  std::uint64_t word = 0;

  template <class F, class T>
  void member(const T& value, const char* name) {
    const auto raw = static_cast<std::uint64_t>(value);
    if (!fits(raw, F::width)) {
      throw std::invalid_argument(std::string(name) + " is " + std::to_string(raw) + "; its ID register field has " +
                                  std::to_string(F::width) + " bits");
    }
    word |= raw << F::lo;
  }
};

/// Reads members from a register word.
struct Take {
  std::uint64_t word;

  template <class F, class T>
  void member(T& value, const char*) const {
    value = static_cast<T>(F::raw(word));
  }
};

/// The members that IDR0 holds as they are.
template <class Visitor, class FeaturesRef>
void visit_idr0(Visitor& v, FeaturesRef& f) {
  v.template member<IDR0::S2P>(f.s2p, "s2p");
  v.template member<IDR0::S1P>(f.s1p, "s1p");
  v.template member<IDR0::COHACC>(f.cohacc, "cohacc");
  v.template member<IDR0::BTM>(f.btm, "btm");
  v.template member<IDR0::HTTU>(f.httu, "httu");
  v.template member<IDR0::DORMHINT>(f.dormhint, "dormhint");
  v.template member<IDR0::Hyp>(f.hyp, "hyp");
  v.template member<IDR0::ATS>(f.ats, "ats");
  v.template member<IDR0::ASID16>(f.asid16, "asid16");
  v.template member<IDR0::MSI>(f.msi, "msi");
  v.template member<IDR0::SEV>(f.sev, "sev");
  v.template member<IDR0::ATOS>(f.atos, "atos");
  v.template member<IDR0::PRI>(f.pri, "pri");
  v.template member<IDR0::VMW>(f.vmw, "vmw");
  v.template member<IDR0::VMID16>(f.vmid16, "vmid16");
  v.template member<IDR0::CD2L>(f.cd2l, "cd2l");
  v.template member<IDR0::VATOS>(f.vatos, "vatos");
  v.template member<IDR0::TTENDIAN>(f.ttendian, "ttendian");
  v.template member<IDR0::ATSRECERR>(f.atsrecerr, "atsrecerr");
  v.template member<IDR0::STALL_MODEL>(f.stall_model, "stall_model");
  v.template member<IDR0::TERM_MODEL>(f.term_model, "term_model");
  v.template member<IDR0::ST_LEVEL>(f.st_level, "st_level");
  v.template member<IDR0::RME_IMPL>(f.rme_impl, "rme_impl");
}

/// The members that IDR1 holds as they are.
template <class Visitor, class FeaturesRef>
void visit_idr1(Visitor& v, FeaturesRef& f) {
  v.template member<IDR1::SIDSIZE>(f.sidsize, "sidsize");
  v.template member<IDR1::SSIDSIZE>(f.ssidsize, "ssidsize");
  v.template member<IDR1::PRIQS>(f.priqs, "priqs");
  v.template member<IDR1::EVENTQS>(f.eventqs, "eventqs");
  v.template member<IDR1::CMDQS>(f.cmdqs, "cmdqs");
  v.template member<IDR1::ATTR_PERMS_OVR>(f.attr_perms_ovr, "attr_perms_ovr");
  v.template member<IDR1::ATTR_TYPES_OVR>(f.attr_types_ovr, "attr_types_ovr");
  v.template member<IDR1::REL>(f.rel, "rel");
  v.template member<IDR1::QUEUES_PRESET>(f.queues_preset, "queues_preset");
  v.template member<IDR1::TABLES_PRESET>(f.tables_preset, "tables_preset");
  v.template member<IDR1::ECMDQ>(f.ecmdq, "ecmdq");
}

/// The members that IDR2 holds as they are.
template <class Visitor, class FeaturesRef>
void visit_idr2(Visitor& v, FeaturesRef& f) {
  v.template member<IDR2::BA_VATOS>(f.ba_vatos, "ba_vatos");
}

/// The members that IDR3 holds as they are.
template <class Visitor, class FeaturesRef>
void visit_idr3(Visitor& v, FeaturesRef& f) {
  v.template member<IDR3::HAD>(f.had, "had");
  v.template member<IDR3::PBHA>(f.pbha, "pbha");
  v.template member<IDR3::XNX>(f.xnx, "xnx");
  v.template member<IDR3::PPS>(f.pps, "pps");
  v.template member<IDR3::MPAM>(f.mpam, "mpam");
  v.template member<IDR3::FWB>(f.fwb, "fwb");
  v.template member<IDR3::STT>(f.stt, "stt");
  v.template member<IDR3::RIL>(f.ril, "ril");
  v.template member<IDR3::BBML>(f.bbml, "bbml");
  v.template member<IDR3::E0PD>(f.e0pd, "e0pd");
  v.template member<IDR3::PTWNNC>(f.ptwnnc, "ptwnnc");
  v.template member<IDR3::DPT>(f.dpt, "dpt");
  v.template member<IDR3::PASIDTT>(f.pasidtt, "pasidtt");
  v.template member<IDR3::EPAN>(f.epan, "epan");
  v.template member<IDR3::S1PI>(f.s1pi, "s1pi");
  v.template member<IDR3::S2PI>(f.s2pi, "s2pi");
  v.template member<IDR3::S2PO>(f.s2po, "s2po");
  v.template member<IDR3::THE>(f.the, "the");
  v.template member<IDR3::MTEPERM>(f.mteperm, "mteperm");
  v.template member<IDR3::AIE>(f.aie, "aie");
}

/// The members that IDR5 holds as they are.
template <class Visitor, class FeaturesRef>
void visit_idr5(Visitor& v, FeaturesRef& f) {
  v.template member<IDR5::GRAN4K>(f.gran4k, "gran4k");
  v.template member<IDR5::GRAN16K>(f.gran16k, "gran16k");
  v.template member<IDR5::GRAN64K>(f.gran64k, "gran64k");
  v.template member<IDR5::DS>(f.ds, "ds");
  v.template member<IDR5::D128>(f.d128, "d128");
  v.template member<IDR5::STALL_MAX>(f.stall_max, "stall_max");
}

/// The members that IDR6 holds as they are.
template <class Visitor, class FeaturesRef>
void visit_idr6(Visitor& v, FeaturesRef& f) {
  v.template member<IDR6::CMDQ_CONTROL_PAGE_LOG2NUMQ>(f.cmdq_control_page_log2numq, "cmdq_control_page_log2numq");
  v.template member<IDR6::CMDQ_CONTROL_PAGE_LOG2NUMP>(f.cmdq_control_page_log2nump, "cmdq_control_page_log2nump");
}

/// The members that IIDR holds as they are.
template <class Visitor, class FeaturesRef>
void visit_iidr(Visitor& v, FeaturesRef& f) {
  v.template member<IIDR::Implementer>(f.implementer, "implementer");
  v.template member<IIDR::Revision>(f.revision, "revision");
  v.template member<IIDR::Variant>(f.variant, "variant");
  v.template member<IIDR::ProductID>(f.product_id, "product_id");
}

/// The members that MPAMIDR holds as they are.
template <class Visitor, class FeaturesRef>
void visit_mpamidr(Visitor& v, FeaturesRef& f) {
  v.template member<MPAMIDR::PARTID_MAX>(f.partid_max, "partid_max");
  v.template member<MPAMIDR::PMG_MAX>(f.pmg_max, "pmg_max");
}

/// The members that AIDR holds as they are.
template <class Visitor, class FeaturesRef>
void visit_aidr(Visitor& v, FeaturesRef& f) {
  v.template member<AIDR::ArchMinorRev>(f.version_minor, "version_minor");
  v.template member<AIDR::ArchMajorRev>(f.version_major, "version_major");
}

unsigned vax_code(unsigned bits) {
  switch (bits) {
    case 48:
      return 0;
    case 52:
      return 1;
    case 56:
      return 2;
    default:
      throw std::invalid_argument("vax is " + std::to_string(bits) + " bits; legal are 48, 52 and 56");
  }
}

unsigned oas_code(unsigned bits) {
  const int code = address_size_code(bits);
  if (code < 0) {
    throw std::invalid_argument("oas is " + std::to_string(bits) +
                                " bits; legal are 32, 36, 40, 42, 44, 48, 52 and 56");
  }
  return static_cast<unsigned>(code);
}

/// NS1ATS means something only then; otherwise it is RES0.
bool has_ns1ats(const Features& f) {
  return f.ats && f.s1p && f.s2p;
}

template <class Visit>
std::uint32_t built(Visit visit) {
  Put put;
  visit(put);
  return static_cast<std::uint32_t>(put.word);
}

}  // namespace

IdRegisters id_registers(const Features& f) {
  IdRegisters out;
  out.idr[0] = built([&f](Put& put) {
    visit_idr0(put, f);
    put.member<IDR0::TTF>((f.ttf_lpae ? 1U : 0U) | (f.ttf_vmsav8_64 ? 2U : 0U), "ttf");
    put.member<IDR0::NS1ATS>(has_ns1ats(f) && !f.split_stage_ats, "split_stage_ats");
  });
  out.idr[1] = built([&f](Put& put) { visit_idr1(put, f); });
  out.idr[2] = built([&f](Put& put) { visit_idr2(put, f); });
  out.idr[3] = built([&f](Put& put) { visit_idr3(put, f); });
  out.idr[4] = f.idr4;
  out.idr[5] = built([&f](Put& put) {
    visit_idr5(put, f);
    put.member<IDR5::OAS>(oas_code(f.oas), "oas");
    put.member<IDR5::VAX>(vax_code(f.vax), "vax");
  });
  out.idr[6] = built([&f](Put& put) { visit_idr6(put, f); });
  out.iidr = built([&f](Put& put) { visit_iidr(put, f); });
  out.aidr = built([&f](Put& put) { visit_aidr(put, f); });
  if (f.mpam) out.mpamidr = built([&f](Put& put) { visit_mpamidr(put, f); });
  return out;
}

Features features_from(const IdRegisters& registers) {
  Features f;
  const Take idr0{registers.idr[0]};
  visit_idr0(idr0, f);
  f.ttf_lpae = (IDR0::TTF::raw(idr0.word) & 1) != 0;
  f.ttf_vmsav8_64 = (IDR0::TTF::raw(idr0.word) & 2) != 0;
  f.split_stage_ats = has_ns1ats(f) && !IDR0::NS1ATS::get(idr0.word);
  const Take idr1{registers.idr[1]};
  visit_idr1(idr1, f);
  const Take idr2{registers.idr[2]};
  visit_idr2(idr2, f);
  const Take idr3{registers.idr[3]};
  visit_idr3(idr3, f);
  f.idr4 = registers.idr[4];
  const Take idr5{registers.idr[5]};
  visit_idr5(idr5, f);
  f.oas = address_bits(IDR5::OAS::get(idr5.word));
  constexpr unsigned vax_bits[4] = {48, 52, 56, 0};
  f.vax = vax_bits[IDR5::VAX::get(idr5.word)];
  const Take idr6{registers.idr[6]};
  visit_idr6(idr6, f);
  const Take iidr{registers.iidr};
  visit_iidr(iidr, f);
  const Take aidr{registers.aidr};
  visit_aidr(aidr, f);
  const Take mpamidr{f.mpam ? registers.mpamidr : 0};  // RES0 without MPAM
  visit_mpamidr(mpamidr, f);
  return f;
}

}  // namespace smmusim::spec
