using System.Text.RegularExpressions;
using MedMerge.Data;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Planning;

/// <summary>The scenarios of a specification and their trials, with the stages that these share.</summary>
/// <param name="Scenarios">In the order of their tables.</param>
/// <param name="Trials">By number, grouped by scenario.</param>
/// <param name="Notes">Decisions made while reading the sources, to show to the user.</param>
internal sealed partial record Plan(
    Specification Specification,
    IReadOnlyList<Scenario> Scenarios,
    IReadOnlyList<Trial> Trials,
    IReadOnlyList<string> Notes)
{
    private const int MaxTrials = 10_000;

    /// <summary>The stages of all trials, each once, in the order they run.</summary>
    public IReadOnlyList<Stage> Stages { get; } =
        [.. Trials.SelectMany(trial => trial.Stages).DistinctBy(stage => stage.Key)];

    /// <summary>The loaded data sets, by how the specification names them.</summary>
    public IReadOnlyDictionary<DatasetSource, ImageDataset> Datasets { get; init; } = new Dictionary<DatasetSource, ImageDataset>();

    /// <summary>
    /// Loads the data sets, checks every source against the architecture, and lays out the trials, without running
    /// them.
    /// </summary>
    /// <param name="read">Reads the files that the specification names; null reads from disk.</param>
    /// <exception cref="InputException">Data or weights are missing or unusable; the message lists every problem.</exception>
    public static Plan Build(Specification specification, FileReader? read = null)
    {
        var reader = read ?? InputFile.Read;
        return Build(specification, new ScenarioLoader(specification, source => source.Load(reader), reader));
    }

    /// <summary>
    /// Builds the same plan from a frozen specification, which was checked at submission. Weight files are identified
    /// by their hashes and not read here; their import stages read and check them.
    /// </summary>
    /// <param name="datasets">The data sets that it names, unpacked.</param>
    /// <exception cref="InputException">A weight file is not named by its content.</exception>
    public static Plan BuildFrozen(Specification specification, IReadOnlyDictionary<DatasetSource, ImageDataset> datasets) =>
        Build(specification, new ScenarioLoader(specification, source => datasets[source], readWeights: null));

    /// <summary>Lays out the trials of loaded scenarios.</summary>
    /// <exception cref="InputException">There are more trials than a sweep may have.</exception>
    /// <exception cref="ArgumentException">Several scenarios have names that are no names of folders, or are not unique.</exception>
    internal static Plan LayOut(Specification specification, IReadOnlyList<Scenario> scenarios, IReadOnlyList<string> notes)
    {
        if (scenarios.Count > 1) CheckNames(scenarios);
        var methods = specification.Methods.Select(MethodRegistry.Get).ToList();
        var count = scenarios.Sum(CountTrials);
        if (count > MaxTrials)
        {
            var errors = new SpecificationErrors();
            errors.Add(specification.Lines?.Trials, $"the specification unfolds to {count} trials; at most {MaxTrials} are allowed");
            errors.ThrowIfAny(specification.Lines?.Origin ?? "The specification");
        }

        var trials = new List<Trial>();
        foreach (var scenario in scenarios)
        {
            var rows = methods.SelectMany(method => method.GetRows(scenario)).ToList();
            var stages = new ScenarioStages(scenario);
            foreach (var row in rows)
            {
                foreach (var seed in scenario.Seeds)
                {
                    var parts = BestModel.CreateStages(stages, rows, row, seed);
                    trials.Add(new Trial(trials.Count + 1, scenario, row, seed, parts));
                }
            }
        }
        return new Plan(specification, scenarios, trials, [.. notes.Distinct()]);

        long CountTrials(Scenario scenario) => (long)methods.Sum(method => method.GetRows(scenario).Count()) * scenario.Seeds.Count;
    }

    /// <summary>Each of several scenarios has a folder of its own, so their names must do as folder names on any system.</summary>
    private static void CheckNames(IReadOnlyList<Scenario> scenarios)
    {
        if (scenarios.FirstOrDefault(scenario => !FolderName().IsMatch(scenario.Name)) is { } bad)
            throw new ArgumentException($"'{bad.Name}' can't be a folder's name.", nameof(scenarios));
        if (scenarios.DistinctBy(scenario => scenario.Name, StringComparer.OrdinalIgnoreCase).Count() != scenarios.Count)
            throw new ArgumentException("The names of scenarios must differ.", nameof(scenarios));
    }

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9._ =,-]*\z")]
    private static partial Regex FolderName();

    private static Plan Build(Specification specification, ScenarioLoader loader)
    {
        var scenarios = loader.Load();
        return LayOut(specification, scenarios, loader.Notes) with { Datasets = loader.Datasets };
    }
}
