// SPDX-License-Identifier: Apache-2.0
// SPDX 2.3 (spdx.github.io/spdx-spec/v2.3, JSON schema) and CycloneDX 1.5 (cyclonedx.org/docs/1.5/json). Identifiers
// are made of digests, and the time is the image's, so that a document is reproducible.
#include "cli/commands/inspect_sbom.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "loader/analyze/digest.hpp"
#include "loader/analyze/sha1.hpp"

namespace uni {
namespace {

using nlohmann::ordered_json;

std::string utc(std::int64_t seconds) {
  tm parts{};
  const time_t value = seconds;
  ::gmtime_r(&value, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

// What may stand in an SPDX identifier: letters, digits, `.` and `-`.
std::string identifier(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(
      out, [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-'; }, '-');
  return out;
}

std::string dump(const ordered_json& j) {
  return j.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

// Debian's short names (DEP 5) that the SPDX license list has under another name.
std::string spdx_license(std::string name) {
  static const std::map<std::string, std::string> kNames = {{"Expat", "MIT"},
                                                            {"MIT", "MIT"},
                                                            {"Apache-2.0", "Apache-2.0"},
                                                            {"Apache-2", "Apache-2.0"},
                                                            {"BSD-2-clause", "BSD-2-Clause"},
                                                            {"BSD-2-Clause", "BSD-2-Clause"},
                                                            {"BSD-3-clause", "BSD-3-Clause"},
                                                            {"BSD-3-Clause", "BSD-3-Clause"},
                                                            {"BSD-4-clause", "BSD-4-Clause"},
                                                            {"BSD-4-Clause", "BSD-4-Clause"},
                                                            {"ISC", "ISC"},
                                                            {"Zlib", "Zlib"},
                                                            {"zlib", "Zlib"},
                                                            {"Artistic", "Artistic-1.0-Perl"},
                                                            {"PSF-2", "PSF-2.0"},
                                                            {"CC0-1.0", "CC0-1.0"},
                                                            {"Unlicense", "Unlicense"}};
  if (const auto known = kNames.find(name); known != kNames.end()) return known->second;
  // GPL-2+ is GPL-2.0-or-later, LGPL-2.1 is LGPL-2.1-only.
  for (const std::string_view family : {"AGPL-", "LGPL-", "GPL-", "GFDL-"}) {
    if (!name.starts_with(family)) continue;
    std::string version = name.substr(family.size());
    const bool later = version.ends_with('+');
    if (later) version.pop_back();
    if (version.empty() || version.find_first_not_of("0123456789.") != std::string::npos) break;
    if (version.find('.') == std::string::npos) version += ".0";
    return std::string(family) + version + (later ? "-or-later" : "-only");
  }
  return "LicenseRef-" + identifier(name);
}

std::vector<std::string> split(std::string_view text, std::string_view word) {
  std::vector<std::string> out;
  for (std::size_t end = text.find(word); end != std::string_view::npos; end = text.find(word)) {
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(end + word.size());
  }
  out.emplace_back(text);
  return out;
}

// The terms with a word between them; in brackets where there are several.
std::string joined(const std::vector<std::string>& terms, std::string_view word) {
  const std::string text = fmt::format("{}", fmt::join(terms, word));
  return terms.size() > 1 ? "(" + text + ")" : text;
}

// A license field of Debian's copyright format (7.2 there): `and` binds closer than `or`, but behind a comma.
std::string license_term(const std::string& field, std::map<std::string, std::string>& extracted) {
  std::vector<std::string> all;
  for (const std::string& part : split(field, ", and ")) {
    std::vector<std::string> choices;
    for (const std::string& choice : split(part, " or ")) {
      std::vector<std::string> together;
      for (std::string& one : split(choice, " and ")) {
        one.erase(one.find_last_not_of(" ,") + 1);
        const std::string license = spdx_license(one);
        if (license.starts_with("LicenseRef-")) extracted.emplace(license, one);
        together.push_back(license);
      }
      choices.push_back(joined(together, " AND "));
    }
    all.push_back(joined(choices, " OR "));
  }
  return joined(all, " AND ");
}

// All entries joined by AND.
std::string license_expression(const std::vector<std::string>& names, std::map<std::string, std::string>& extracted) {
  std::set<std::string> terms;
  for (const std::string& name : names)
    terms.insert(license_term(name, extracted));
  return terms.empty() ? "NOASSERTION" : fmt::format("{}", fmt::join(terms, " AND "));
}

// Percent-encoding of package URLs (purl-spec).
std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

struct Component {
  std::string name;
  std::string version;
  const InstalledPackage* known = nullptr;  // in the database, in this version
  std::vector<std::string> licenses;
  std::vector<std::string> files;
  std::string purl;
};

// The packages of the files; what belongs to none is the program's own.
std::vector<Component> components_of(const Manifest& m, const PackageDatabase& packages,
                                     std::vector<std::string>& own) {
  std::map<std::string, Component> found;
  for (const auto& [path, f] : m.files) {
    if (f.kind != FileEntry::Kind::File) continue;
    if (f.package.empty()) {
      own.push_back(path);
      continue;
    }
    Component& c = found[f.package];
    c.files.push_back(path);
    if (c.files.size() > 1) continue;
    const std::size_t blank = f.package.find(' ');
    c.name = f.package.substr(0, blank);
    if (blank != std::string::npos) c.version = f.package.substr(blank + 1);
    const InstalledPackage* installed = packages.find(c.name);
    if (installed != nullptr && installed->version == c.version) {
      c.known = installed;
      c.licenses = packages.licenses(c.name);
    }
    c.purl = fmt::format("pkg:deb/{}/{}@{}", packages.distribution(), encoded(c.name), encoded(c.version));
    if (c.known != nullptr) c.purl += "?arch=" + c.known->architecture;
  }
  std::vector<Component> out;
  for (auto& [key, c] : found)
    out.push_back(std::move(c));
  return out;
}

std::string manifest_digest(const Manifest& m) {
  return sha256_of(write_manifest(m, {}, Origins::Names));
}

// SPDX 2.3, 7.9.
std::string verification_code(std::vector<std::string> sums) {
  std::ranges::sort(sums);
  Sha1 sum;
  for (const std::string& one : sums)
    sum.add(one);
  return sum.finish();
}

}  // namespace

std::string spdx_document(const Manifest& m, const PackageDatabase& packages, const Sha1Of& sha1) {
  std::vector<std::string> own;
  const std::vector<Component> components = components_of(m, packages, own);
  std::map<std::string, std::string> extracted;
  ordered_json j = {{"spdxVersion", "SPDX-2.3"},
                    {"dataLicense", "CC0-1.0"},
                    {"SPDXID", "SPDXRef-DOCUMENT"},
                    {"name", m.name},
                    {"documentNamespace", "urn:uni:spdx:" + m.name + ":" + manifest_digest(m)},
                    {"creationInfo", {{"created", utc(m.time)}, {"creators", {"Tool: uni"}}}},
                    {"documentDescribes", {"SPDXRef-Image"}}};
  j["packages"] = ordered_json::array();
  j["files"] = ordered_json::array();
  j["relationships"] = ordered_json::array();
  const auto relate = [&](const std::string& from, const char* type, const std::string& to) {
    j["relationships"].push_back({{"spdxElementId", from}, {"relationshipType", type}, {"relatedSpdxElement", to}});
  };
  const auto add_package = [&](const std::string& id, const std::string& name, const std::string& version) {
    ordered_json p = {{"SPDXID", id}, {"name", name}};
    if (!version.empty()) p["versionInfo"] = version;
    p["downloadLocation"] = "NOASSERTION";
    p["filesAnalyzed"] = false;
    p["licenseConcluded"] = "NOASSERTION";
    p["licenseDeclared"] = "NOASSERTION";
    p["copyrightText"] = "NOASSERTION";
    return p;
  };
  std::size_t number = 0;
  std::vector<std::string> all_sha1;
  // The image contains the files: a package of which not all files were analysed may not (7.8). Which package's archive
  // a file is from is a relationship of its own.
  const auto add_file = [&](const std::string& path, const std::string& archive) {
    const FileEntry& f = m.files.at(path);
    const std::string id = fmt::format("SPDXRef-File-{}", ++number);
    ordered_json sums = ordered_json::array();
    if (const std::string sum = sha1(path, f); !sum.empty()) {
      sums.push_back({{"algorithm", "SHA1"}, {"checksumValue", sum}});
      all_sha1.push_back(sum);
    }
    sums.push_back({{"algorithm", "SHA256"}, {"checksumValue", f.sha256}});
    j["files"].push_back({{"SPDXID", id},
                          {"fileName", "." + path},
                          {"checksums", sums},
                          {"licenseConcluded", "NOASSERTION"},
                          {"licenseInfoInFiles", {"NOASSERTION"}},
                          {"copyrightText", "NOASSERTION"},
                          {"comment", f.reason}});
    relate("SPDXRef-Image", "CONTAINS", id);
    if (!archive.empty()) relate(id, "EXPANDED_FROM_ARCHIVE", archive);
  };
  j["packages"].push_back(add_package("SPDXRef-Image", m.name, ""));
  relate("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image");
  for (const std::string& path : own)
    add_file(path, "");
  for (const Component& c : components) {
    const std::string id = "SPDXRef-Package-" + identifier(c.name);
    ordered_json p = add_package(id, c.name, c.version);
    if (c.known != nullptr) {
      p["sourceInfo"] = "built from " + c.known->source + " " + c.known->source_version;
      p["licenseDeclared"] = license_expression(c.licenses, extracted);
    }
    p["externalRefs"] = {
        {{"referenceCategory", "PACKAGE-MANAGER"}, {"referenceType", "purl"}, {"referenceLocator", c.purl}}};
    j["packages"].push_back(std::move(p));
    relate("SPDXRef-Image", "CONTAINS", id);
    for (const std::string& path : c.files)
      add_file(path, id);
  }
  if (all_sha1.size() == j["files"].size()) {
    j["packages"][0]["filesAnalyzed"] = true;
    j["packages"][0]["packageVerificationCode"] = {{"packageVerificationCodeValue", verification_code(all_sha1)}};
  }
  if (!extracted.empty()) {
    j["hasExtractedLicensingInfos"] = ordered_json::array();
    for (const auto& [id, name] : extracted) {
      j["hasExtractedLicensingInfos"].push_back(
          {{"licenseId", id}, {"name", name}, {"extractedText", "see the package's copyright file: " + name}});
    }
  }
  return dump(j);
}

std::string cyclonedx_document(const Manifest& m, const PackageDatabase& packages) {
  std::vector<std::string> own;
  const std::vector<Component> components = components_of(m, packages, own);
  const std::string digest = manifest_digest(m);
  // RFC 4122's layout, with version 8's freedom of content (RFC 9562 5.8).
  const std::string serial = fmt::format("urn:uuid:{}-{}-8{}-8{}-{}", digest.substr(0, 8), digest.substr(8, 4),
                                         digest.substr(13, 3), digest.substr(17, 3), digest.substr(20, 12));
  const auto file = [&](const std::string& path) {
    const FileEntry& f = m.files.at(path);
    return ordered_json{{"type", "file"},
                        {"bom-ref", "file:" + path},
                        {"name", path},
                        {"hashes", {{{"alg", "SHA-256"}, {"content", f.sha256}}}},
                        {"description", f.reason}};
  };
  ordered_json j = {{"bomFormat", "CycloneDX"},
                    {"specVersion", "1.5"},
                    {"serialNumber", serial},
                    {"version", 1},
                    {"metadata",
                     {{"timestamp", utc(m.time)},
                      {"tools", {{"components", {{{"type", "application"}, {"name", "uni"}}}}}},
                      {"component", {{"type", "application"}, {"bom-ref", "image"}, {"name", m.name}}}}}};
  j["components"] = ordered_json::array();
  ordered_json refs = ordered_json::array();
  for (const std::string& path : own) {
    j["components"].push_back(file(path));
    refs.push_back("file:" + path);
  }
  for (const Component& c : components) {
    ordered_json p = {{"type", "library"}, {"bom-ref", c.purl}, {"name", c.name}};
    if (!c.version.empty()) p["version"] = c.version;
    p["purl"] = c.purl;
    std::map<std::string, std::string> extracted;
    if (!c.licenses.empty()) {
      const std::string expression = license_expression(c.licenses, extracted);
      p["licenses"] = {{{"expression", expression}}};
    }
    if (c.known != nullptr) {
      p["properties"] = {{{"name", "uni:source"}, {"value", c.known->source + " " + c.known->source_version}}};
    }
    p["components"] = ordered_json::array();
    for (const std::string& path : c.files)
      p["components"].push_back(file(path));
    j["components"].push_back(std::move(p));
    refs.push_back(c.purl);
  }
  j["dependencies"] = {{{"ref", "image"}, {"dependsOn", refs}}};
  return dump(j);
}

}  // namespace uni
