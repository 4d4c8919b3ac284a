using MedMerge.Data;

namespace MedMerge.Experiments.Specifications;

/// <summary>A target of several.</summary>
internal sealed record NamedTarget(string Name, DatasetSource Data);

/// <summary>
/// Reads what a specification varies, and unfolds it: each target with each set of sources and each choice of varied settings is a
/// scenario, unless it is excluded.
/// </summary>
internal sealed class ScenarioGrid(YamlMap map, SpecificationErrors errors)
{
    private const string TargetsKey = "targets", SetsKey = "sourceSets", VaryKey = "vary", ExcludeKey = "exclude";
    private const string TargetKey = "target", SourcesKey = "sources";
    private const string LeakKey = "trainedOnTarget", Note = "note", LeaveOut = "leave-out";
    private static readonly string[] Keys = [TargetsKey, SetsKey, VaryKey, ExcludeKey, LeakKey, SearchReader.Key];

    private const int MaxScenarios = 10_000;
    private const int MinSet = 2;

    /// <summary>Whether the specification describes several scenarios.</summary>
    public bool IsPresent => Keys.Any(map.Has);

    /// <summary>What is searched; null where all that varies is run.</summary>
    public SearchReader? Search { get; } = map.FindMap(SearchReader.Key) is { } search ? new SearchReader(search, errors) : null;

    /// <summary>Reads the targets: the long form's list, or the one target of the short form.</summary>
    /// <param name="sources">Reads data sets.</param>
    public IReadOnlyList<NamedTarget> ReadTargets(SourceReader sources)
    {
        if (!map.Has(TargetsKey))
        {
            var single = map.FindMap(TargetKey, required: true);
            var data = single is null ? null : sources.ReadDataset(single);
            single?.RefuseUnknownKeys();
            return data is null ? [] : [new NamedTarget("", data)];
        }
        if (map.Has(TargetKey)) map.AddError(TargetKey, $"'{TargetKey}' and '{TargetsKey}' are both there: leave one out");
        var targets = new List<NamedTarget>();
        var entries = map.ReadMaps(TargetsKey, out var count);
        foreach (var entry in entries)
        {
            var name = entry.ReadText("name", required: true);
            if (name is not null && !SourceReader.NamePattern().IsMatch(name))
                entry.AddError("name", $"the target name '{name}' becomes part of folder names: use letters, digits, '-', '_' and '.'");
            if (targets.Any(target => string.Equals(target.Name, name, StringComparison.OrdinalIgnoreCase)))
                entry.AddError("name", $"the target name '{name}' is used twice");
            var data = sources.ReadDataset(entry);
            entry.RefuseUnknownKeys();
            if (name is not null && data is not null) targets.Add(new NamedTarget(name, data));
        }
        if (count == 0) map.AddError(TargetsKey, $"'{TargetsKey}' names no target");
        return targets;
    }

    /// <summary>Unfolds the scenarios.</summary>
    /// <param name="anchor">The source that α starts from; null for the one with the best probe.</param>
    /// <param name="check">Finds the rules that settings break with sources of such names.</param>
    public IReadOnlyList<ScenarioPoint> Unfold(
        string name,
        IReadOnlyList<NamedTarget> targets,
        IReadOnlyList<SourceModel> sources,
        int? anchor,
        ScenarioSettings settings,
        Func<ScenarioSettings, IReadOnlyList<string>, IEnumerable<BrokenRule>> check)
    {
        if (map.Has(VaryKey) && Search is not null)
            map.AddError(VaryKey, $"'{VaryKey}' and '{SearchReader.Key}' are both there: a search has its settings under 'over'");
        var sets = ReadSets(sources, anchor);
        var choices = Search is { } search ? search.ReadChoices(settings) : ReadChoices(settings);
        var exclusions = ReadExclusions(targets, sources, choices);
        var leavesOut = ReadLeak();
        if (errors.Count > 0) return [];
        var count = (long)targets.Count * sets.Count * choices.Count;
        if (count > MaxScenarios)
        {
            map.AddError(VaryKey, $"there would be {count} scenarios; at most {MaxScenarios} are allowed");
            return [];
        }
        var points =
            (from target in targets
             from set in sets
             where !leavesOut || !set.Any(source => IsTrainedOn(target, source))
             from choice in choices
             where !exclusions.Any(excluded => excluded.Matches(target.Name, [.. NamesOf(set)], choice.Values))
             select CreatePoint(target, set, choice)).ToList();
        CheckRules();
        if (points.Count == 0) map.AddError(ExcludeKey, "no scenario is left: everything is excluded or left out");
        return points;

        void CheckRules()
        {
            var rules = points
                .SelectMany(point => check(point.Settings, [.. NamesOf(point.Sources!)]).Select(broken => (Point: point, Rule: broken)))
                .GroupBy(broken => broken.Rule, broken => broken.Point.Name);
            foreach (var broken in rules)
            {
                var others = broken.Count() - 1;
                var where = $"scenario '{broken.First()}'{(others == 0 ? "" : $" and {others} more")}: ";
                AddError(broken.Key, broken.Count() == points.Count ? "" : where);
            }
        }

        bool IsTrainedOn(NamedTarget target, int source) =>
            sources[source].GetOrigins(sources).Any(origin => origin.Pretrain?.Data.Location == target.Data.Location);

        IEnumerable<string> NamesOf(IEnumerable<int> set) => set.Select(source => sources[source].Name);

        ScenarioPoint CreatePoint(NamedTarget target, int[] set, SettingChoice choice)
        {
            string[] parts =
            [
                target.Name,
                sets.Count > 1 ? string.Join(" and ", NamesOf(set)) : "",
                .. choice.Values.Select(value => $"{value.Setting}={value.Text}"),
            ];
            var title = string.Join(", ", parts.Where(part => part.Length > 0));
            return new ScenarioPoint(title.Length > 0 ? title : name, choice.Settings)
            {
                Target = target.Data,
                Sources = set,
                Anchor = anchor is { } source ? Array.IndexOf(set, source) : null,
            };
        }
    }

    /// <summary>Adds the error where the setting is varied, or else where it is set.</summary>
    private void AddError(BrokenRule broken, string where)
    {
        var message = where + broken.Message;
        var over = Search is not null ? map.FindMap(SearchReader.Key)!.FindMap(SearchReader.OverKey) : map.FindMap(VaryKey);
        if (over?.Has(broken.Path) == true) over.AddError(broken.Path, message);
        else map.AddErrorAt(broken.Path, message);
    }

    private List<int[]> ReadSets(IReadOnlyList<SourceModel> sources, int? anchor)
    {
        var all = Enumerable.Range(0, sources.Count).ToArray();
        if (!map.Has(SetsKey)) return [all];
        if (map.ReadLists(SetsKey) is { } lists) return ReadGiven(lists, sources, anchor);
        if (map.IsMap(SetsKey))
        {
            var limits = map.FindMap(SetsKey)!;
            var most = limits.ReadWhole("upTo", MinSet, Math.Max(MinSet, sources.Count));
            if (most is null && !limits.Has("upTo")) limits.AddError("upTo", $"'{SetsKey}' is a mapping without 'upTo'");
            limits.RefuseUnknownKeys();
            return Choose(MinSet, most ?? MinSet);
        }
        var text = map.ReadText(SetsKey);
        switch (text)
        {
            case "all": return [all];
            case "pairs": return Choose(MinSet, MinSet);
            default:
                if (text is not null)
                    map.AddError(SetsKey, $"'{SetsKey}' is '{text}'; it must be 'all', 'pairs', {{upTo: N}} or a list of lists of sources");
                return [all];
        }

        // With an anchor by name, only sets that hold it.
        List<int[]> Choose(int least, int most)
        {
            var chosen = new List<int[]>();
            for (var size = least; size <= Math.Min(most, sources.Count); size++)
            {
                foreach (var set in Combinations(sources.Count, size))
                {
                    if (anchor is { } index && !set.Contains(index)) continue;
                    chosen.Add(set);
                    if (chosen.Count <= MaxScenarios) continue;
                    map.AddError(SetsKey, $"'{SetsKey}' are more than {MaxScenarios}: name fewer sources, or the sets themselves");
                    return [all];
                }
            }
            return chosen;
        }
    }

    private List<int[]> ReadGiven(
        IReadOnlyList<(IReadOnlyList<string> Texts, int Line)> lists,
        IReadOnlyList<SourceModel> sources,
        int? anchor)
    {
        var names = sources.Select(source => source.Name).ToList();
        var sets = new List<int[]>();
        foreach (var (texts, line) in lists)
        {
            foreach (var text in texts.Where(text => !names.Contains(text)))
                errors.Add(line, $"'{text}' in '{SetsKey}' is no source{SpellingSuggestion.Suggest(text, names)}");
            int[] set = [.. texts.Select(text => names.IndexOf(text)).Where(index => index >= 0).Distinct().Order()];
            if (texts.Distinct().Count() < MinSet)
                errors.Add(line, $"a set in '{SetsKey}' has {texts.Count} source(s); merging needs at least two");
            if (anchor is { } index && !set.Contains(index))
                errors.Add(line, $"a set in '{SetsKey}' lacks the anchor '{names[index]}'");
            if (sets.Any(other => other.SequenceEqual(set))) errors.Add(line, $"'{SetsKey}' lists the same set twice");
            sets.Add(set);
        }
        if (sets.Count == 0) map.AddError(SetsKey, $"'{SetsKey}' is an empty list");
        return sets;
    }

    /// <summary>Every combination of the varied settings' values, the last setting fastest.</summary>
    private List<SettingChoice> ReadChoices(ScenarioSettings settings)
    {
        var choices = new List<SettingChoice> { new(settings, []) };
        if (map.FindMap(VaryKey) is not { } vary) return choices;
        foreach (var path in vary.Keys.ToList())
        {
            var texts = vary.ReadTextOrList(path, out var isList) ?? [];
            if (VariedSetting.Find(vary, path) is not { } setting) continue;
            if (!isList || texts.Count == 0) vary.AddError(path, $"'{vary.GetPath(path)}' must be a list of values");
            VariedSetting.RefuseTwice(vary, path, setting, texts.Select(text => text.Text));
            choices = [.. choices.SelectMany(choice => texts.Select(text => Apply(choice, setting, text)).OfType<SettingChoice>())];
            if (choices.Count > MaxScenarios)
            {
                vary.AddError(path, $"'{VaryKey}' gives more than {MaxScenarios} combinations");
                return [];
            }
        }
        return choices;
    }

    private SettingChoice? Apply(SettingChoice choice, Setting<ScenarioSettings> setting, (string Text, int Line) value)
    {
        var changed = setting.With(choice.Settings, value.Text, out var problem);
        if (problem is null) return new SettingChoice(changed, [.. choice.Values, new VariedValue(setting.Path, value.Text)]);
        errors.Add(value.Line, $"'{setting.Path}' in '{VaryKey}' is '{value.Text}'; it must be {problem}");
        return null;
    }

    private List<Exclusion> ReadExclusions(
        IReadOnlyList<NamedTarget> targets,
        IReadOnlyList<SourceModel> sources,
        IReadOnlyList<SettingChoice> choices)
    {
        var exclusions = new List<Exclusion>();
        if (!map.Has(ExcludeKey)) return exclusions;
        var varied = choices.SelectMany(choice => choice.Values).Concat(ReadListed()).ToLookup(value => value.Setting, Normalise);
        foreach (var entry in map.ReadMaps(ExcludeKey, out _))
        {
            var target = Known(entry, TargetKey, [.. targets.Select(target => target.Name)]);
            var set = Known(entry, SourcesKey, [.. sources.Select(source => source.Name)]);
            var values = varied.Where(known => entry.Has(known.Key)).ToDictionary(known => known.Key, known => Values(entry, known));
            entry.RefuseUnknownKeys();
            if (target is null && set is null && values.Count == 0)
                errors.Add(entry.Line, $"an entry of '{ExcludeKey}' names nothing: it would leave no scenario");
            exclusions.Add(new Exclusion(target, set, values));
        }
        return exclusions;

        // Of a list some values may not be drawn.
        IEnumerable<VariedValue> ReadListed() =>
            Search?.Listed.SelectMany(list => list.Value.Select(text => new VariedValue(list.Key, text))) ?? [];

        // What a search draws from a range is not known to who writes the exclusion.
        bool IsKnown(string setting) => Search?.Listed.ContainsKey(setting) != false;

        IReadOnlyList<string> Values(YamlMap entry, IGrouping<string, string> known)
        {
            var texts = Texts(entry, known.Key) ?? [];
            foreach (var text in texts)
            {
                if (!IsKnown(known.Key) || known.Contains(Normalise(new VariedValue(known.Key, text)))) continue;
                var path = entry.GetPath(known.Key);
                var list = Search is null ? VaryKey : SearchReader.Key;
                entry.AddError(known.Key, $"'{path}' is '{text}', which '{list}' does not list: it excludes nothing");
            }
            return [.. texts.Select(text => Normalise(new VariedValue(known.Key, text)))];
        }

        static IReadOnlyList<string>? Texts(YamlMap entry, string key) =>
            entry.ReadTextOrList(key, out _)?.Select(text => text.Text).ToList();

        IReadOnlyList<string>? Known(YamlMap entry, string key, IReadOnlyList<string> names)
        {
            var texts = Texts(entry, key);
            foreach (var text in texts?.Where(text => !names.Contains(text)) ?? [])
                entry.AddError(key, $"'{entry.GetPath(key)}' is '{text}', which is none{SpellingSuggestion.Suggest(text, names)}");
            return texts;
        }
    }

    private static string Normalise(VariedValue value) =>
        VariedSetting.Normalise(SettingTable.All.Single(setting => setting.Path == value.Setting), value.Text);

    private bool ReadLeak()
    {
        if (map.ReadText(LeakKey) is not { } text) return false;
        if (text is not (Note or LeaveOut)) map.AddError(LeakKey, $"'{LeakKey}' is '{text}'; it must be '{Note}' or '{LeaveOut}'");
        return text == LeaveOut;
    }

    private static IEnumerable<int[]> Combinations(int count, int size)
    {
        var set = Enumerable.Range(0, size).ToArray();
        while (set[^1] < count)
        {
            yield return [.. set];
            var last = size - 1;
            while (last > 0 && set[last] == count - size + last) last--;
            set[last]++;
            for (var i = last + 1; i < size; i++) set[i] = set[i - 1] + 1;
        }
    }

    /// <summary>Scenarios that have one of the targets, all of the sources and one of each setting's values; null is any.</summary>
    private sealed record Exclusion(
        IReadOnlyList<string>? Targets,
        IReadOnlyList<string>? Sources,
        IReadOnlyDictionary<string, IReadOnlyList<string>> Values)
    {
        public bool Matches(string target, IReadOnlyList<string> sources, IReadOnlyList<VariedValue> values) =>
            Targets?.Contains(target) != false
            && Sources?.All(sources.Contains) != false
            && values.All(value => Values.GetValueOrDefault(value.Setting)?.Contains(Normalise(value)) != false);
    }
}
