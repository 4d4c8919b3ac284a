using System.Globalization;
using MedMerge.Data;

namespace MedMerge.Experiments.Specifications;

/// <summary>Reads <c>search</c>: candidates over lists and ranges of settings, all of them or drawn at random, and halving.</summary>
internal sealed class SearchReader(YamlMap search, SpecificationErrors errors)
{
    /// <summary>Its key in a specification.</summary>
    public const string Key = "search";

    /// <summary>The key of what it searches.</summary>
    public const string OverKey = "over";

    private const string PointsKey = "points", SeedKey = "seed", HalvingKey = "halving";
    private const string UniformKey = "uniform", LogUniformKey = "logUniform";
    private const int MaxPoints = 10_000;
    private const int MinFactor = 2, MaxFactor = 100, MaxEpochs = 10_000;
    private const int DefaultFactor = 3;

    /// <summary>The values of the settings that are searched over a list; filled when the candidates are read.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Listed { get; private set; } =
        new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Reads how candidates are halved; null where all run to their end.</summary>
    public Halving? ReadHalving()
    {
        if (search.FindMap(HalvingKey) is not { } halving) return null;
        var factor = halving.ReadWhole("factor", MinFactor, MaxFactor) ?? DefaultFactor;
        var epochs = halving.ReadWhole("epochs", 1, MaxEpochs) ?? 1;
        halving.RefuseUnknownKeys();
        return new Halving(factor, epochs);
    }

    /// <summary>Reads the candidates: every combination where no number of points is named, otherwise so many random ones.</summary>
    public IReadOnlyList<SettingChoice> ReadChoices(ScenarioSettings settings)
    {
        var points = search.ReadWhole(PointsKey, 1, MaxPoints);
        var seed = search.ReadWhole(SeedKey, 0, int.MaxValue) ?? 0;
        var over = search.FindMap(OverKey, required: true);
        var axes = over?.Keys.ToList().Select(path => ReadAxis(over, path)).OfType<Axis>().ToList() ?? [];
        if (over is not null && axes.Count == 0 && errors.Count == 0) search.AddError(OverKey, $"'{Key}.{OverKey}' names no setting");
        search.RefuseUnknownKeys();
        foreach (var axis in axes.Where(axis => points is null && axis.Range is not null))
            errors.Add(axis.Line, $"'{axis.Setting.Path}' is a range: say how many points to draw with '{Key}.{PointsKey}'");
        if (errors.Count > 0) return [];
        if (search.Has(HalvingKey))
        {
            foreach (var axis in axes.Where(axis => axis.Setting.Path.EndsWith("epochs", StringComparison.OrdinalIgnoreCase)))
                errors.Add(axis.Line, $"'{axis.Setting.Path}' can't be searched with '{HalvingKey}': all candidates have the same rungs");
        }
        if (errors.Count > 0) return [];
        Listed = axes.Where(axis => axis.Range is null).ToDictionary(axis => axis.Setting.Path, axis => axis.Choices);
        var texts = points is { } count
            ? Enumerable.Range(0, count).Select(point => Draw(axes, (ulong)seed, (ulong)point))
            : Combine(axes);
        var choices = texts.Take(MaxPoints + 1).Select(values => Apply(settings, axes, values)).OfType<SettingChoice>();
        return [.. choices.DistinctBy(Join)]; // of few values some are drawn again

        static string Join(SettingChoice choice) => string.Join('\n', choice.Values.Select(value => value.Text));
    }

    private Axis? ReadAxis(YamlMap over, string path)
    {
        if (VariedSetting.Find(over, path) is not { } setting) return null;
        if (!over.IsMap(path))
        {
            var texts = over.ReadTextOrList(path, out var isList) ?? [];
            string[] choices = [.. texts.Select(text => text.Text)];
            VariedSetting.RefuseTwice(over, path, setting, choices);
            if (isList && choices.Length > 0) return new Axis(setting, texts[0].Line, choices, null);
            over.AddError(path, $"'{path}' must be a list of values, {{{UniformKey}: [LOW, HIGH]}} or {{{LogUniformKey}: [LOW, HIGH]}}");
            return null;
        }
        var map = over.FindMap(path)!;
        var isLog = map.Has(LogUniformKey);
        var key = isLog ? LogUniformKey : UniformKey;
        var ends = map.ReadTextOrList(key, out _);
        map.RefuseUnknownKeys();
        double[] bounds = [.. (ends ?? []).Select(end => Parse(end.Text))];
        var isRange = bounds is [var low, var high] && low < high && (!isLog || low > 0);
        if (isRange) return new Axis(setting, map.Line, [], new SearchRange(bounds[0], bounds[1], isLog));
        errors.Add(map.Line, $"'{path}' must have two ends, the lower first{(isLog ? " and above 0" : "")}: {{{key}: [LOW, HIGH]}}");
        return null;
    }

    private static double Parse(string text)
    {
        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value);
        return isNumber && double.IsFinite(value) ? value : double.NaN;
    }

    private static IReadOnlyList<string> Draw(IReadOnlyList<Axis> axes, ulong seed, ulong point)
    {
        var random = new RandomStream(seed, StreamKeys.Search, point);
        return [.. axes.Select(axis => axis.Range is { } range ? range.Draw(random) : axis.Choices[random.Below(axis.Choices.Count)])];
    }

    private static IEnumerable<IReadOnlyList<string>> Combine(IReadOnlyList<Axis> axes) => axes.Aggregate(
        (IEnumerable<IReadOnlyList<string>>)[[]],
        (points, axis) => points.SelectMany(point => axis.Choices.Select(choice => (IReadOnlyList<string>)[.. point, choice])));

    private SettingChoice? Apply(ScenarioSettings settings, IReadOnlyList<Axis> axes, IReadOnlyList<string> texts)
    {
        var values = new List<VariedValue>();
        foreach (var (axis, text) in axes.Zip(texts))
        {
            var used = text;
            var changed = axis.Setting.With(settings, used, out var problem);
            if (problem is not null && axis.Range is not null) // one of whole numbers
            {
                used = Math.Round(Parse(text)).ToString(CultureInfo.InvariantCulture);
                changed = axis.Setting.With(settings, used, out problem);
            }
            if (problem is not null)
            {
                errors.Add(axis.Line, $"'{axis.Setting.Path}' in '{Key}' is '{used}'; it must be {problem}");
                return null;
            }
            settings = changed;
            values.Add(new VariedValue(axis.Setting.Path, used));
        }
        return new SettingChoice(settings, values);
    }

    /// <summary>A setting that is searched.</summary>
    /// <param name="Choices">Its values; empty where it is a range.</param>
    private sealed record Axis(Setting<ScenarioSettings> Setting, int Line, IReadOnlyList<string> Choices, SearchRange? Range);

    /// <summary>A range that values are drawn from, uniformly or so that every order of magnitude is as likely.</summary>
    private sealed record SearchRange(double Low, double High, bool IsLog)
    {
        /// <summary>Draws a value of three digits, so that it can be read and written again.</summary>
        public string Draw(RandomStream random)
        {
            var value = IsLog ? Math.Exp(random.Between(Math.Log(Low), Math.Log(High))) : random.Between(Low, High);
            return double.Parse(value.ToString("G3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)
                .ToString(CultureInfo.InvariantCulture);
        }
    }
}
