# What jq 1.7 has and jaq has not, or defines in another way.

def halt_error: error;
def halt_error($exit_code): error;
def input: error("No more inputs");
def inputs: empty;
def input_filename: null;

def toarray: if isarray then . else [.] end;
def have_literal_numbers: true;
def have_decnum: false;
def ascii: [.] | implode;
def repeat(f): def rec: ., (f | rec); rec;
def reverse: if . == null then [] elif isstring then explode | reverse | implode else [.[length - 1 - range(length)]] end;
def ltrimstr($x): if isstring and ($x | isstring) and startswith($x) then .[($x | length):] end;
def rtrimstr($x): if isstring and ($x | isstring) and endswith($x) then .[:length - ($x | length)] end;
def join($separator): reduce .[] as $x (null;
  (if . == null then "" else . + $separator end)
  + ($x | if . == null then "" elif isstring then . elif isnumber or isboolean then tojson
          else error("\(type) (\(tojson)) cannot be joined") end)) // "";
def trimstr($x): ltrimstr($x) | rtrimstr($x);
def isvalid(f): try (f | true) catch false;

def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(stream; f): reduce stream as $row ({}; . + {($row | f | tostring): $row});
def INDEX(f): INDEX(.[]; f);
def GROUP_BY(f): group_by(f);
def UNIQUE_BY(f): unique_by(f);

def setpath($path; $x):
  if $path == [] then $x else
    $path[0] as $key
    | (if . == null then (if $key | isstring then {} else [] end) end)
    | (if isarray and ($key | isnumber) and $key >= length then . + [range(length; $key + 1) | null] end)
    | .[$key] as $old
    | .[$key] = ($old | setpath($path[1:]; $x)) end;
def leaf_paths: paths(scalars);
def delpaths($paths): reduce ($paths | unique | reverse[]) as $path (.; getpath($path) |= empty);
def del(f): delpaths([path(f)]);
def walk(f): def rec: (if isobject or isarray then map_values(rec) end) | f; rec;

def from_entries: reduce .[] as $x ({};
  . + {($x | (if .key == null then .k // .name // .Name // .K // .Key else .key end)
         | if isstring then . elif isnumber or isboolean or . == null then tojson else error("Cannot use \(type) as object key") end):
       ($x | if has("value") then .value elif has("v") then .v else .Value end)});
def with_entries(f): to_entries | map(f) | from_entries;

def tostream:
  path(def rec: (.[]? | rec), .; rec) as $path | getpath($path)
  | reduce path(.[]?) as $last ([$path, .]; [$path + $last]);
def fromstream(f): {x: null, e: false} as $init
  | foreach f as $event ($init;
      (if .e then $init end)
      | if $event | length == 2
        then (.e = ($event[0] | length == 0)) | (if $event[0] == [] then .x = $event[1] else .x = (.x | setpath($event[0]; $event[1])) end)
        else .e = ($event[0] | length == 1) end;
      if .e then .x else empty end);
def truncate_stream(stream): . as $depth | null | stream
  | select(.[0] | length > $depth) | [.[0][$depth:]] + .[1:];

def dateadd(unit; n): . + n;
def datesub(unit; n): . - n;
def date: todate;

def @html: tostring
  | split("&") | join("&amp;") | split("<") | join("&lt;") | split(">") | join("&gt;")
  | split("'") | join("&#39;") | split("\"") | join("&quot;");
def @csv:
  if isarray
  then [.[] | if isstring then "\"" + (split("\"") | join("\"\"")) + "\""
              elif isnumber or isboolean then tojson
              elif . == null then ""
              else error("\(type) (\(tojson)) is not valid in a csv row") end] | join(",")
  else error("\(type) (\(tojson)) cannot be csv-formatted, only an array can be") end;
def @tsv:
  if isarray
  then [.[] | if isstring then split("\\") | join("\\\\") | split("\t") | join("\\t") | split("\n") | join("\\n") | split("\r") | join("\\r")
              elif isnumber or isboolean then tojson
              elif . == null then ""
              else error("\(type) (\(tojson)) is not valid in a tsv row") end] | join("\t")
  else error("\(type) (\(tojson)) cannot be tsv-formatted, only an array can be") end;
