using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Planning;

/// <summary>What a specification unfolds to: its scenarios and their trials, with the stages that these share.</summary>
/// <param name="Scenarios">In the order of their tables.</param>
/// <param name="Trials">By number, those of one scenario after those of another.</param>
/// <param name="Notes">What was decided while reading the sources, for the user to know.</param>
public sealed record Plan(Specification Specification, IReadOnlyList<Scenario> Scenarios, IReadOnlyList<Trial> Trials, IReadOnlyList<string> Notes)
{
    private const int MaxTrials = 10_000;

    /// <summary>Every stage of every trial, each once, in the order they run.</summary>
    public IReadOnlyList<Stage> Stages { get; } = [.. Trials.SelectMany(trial => trial.Stages).DistinctBy(stage => stage.Key)];

    /// <summary>
    /// Loads the data sets, checks every source against the architecture, and lays out the trials. Nothing is computed yet.
    /// </summary>
    /// <param name="read">Gives the files that the specification names; from disk where null.</param>
    /// <exception cref="InputException">Data or weights are missing or unusable; the message lists everything found.</exception>
    public static Plan Build(Specification specification, FileReader? read = null) =>
        Build(specification, new ScenarioLoader(specification, read ?? InputFile.Read, areSourcesChecked: false));

    /// <summary>
    /// The same plan of a frozen specification, which was checked when it was submitted: weight files are known by their hashes and not read,
    /// for each is imported and checked once, by its stage.
    /// </summary>
    /// <param name="read">Gives the data sets' files.</param>
    /// <exception cref="InputException">A data set is unusable.</exception>
    public static Plan BuildFrozen(Specification specification, FileReader read) =>
        Build(specification, new ScenarioLoader(specification, read, areSourcesChecked: true));

    /// <summary>Lays out the trials of scenarios that are loaded.</summary>
    /// <exception cref="InputException">There are more trials than a sweep may have.</exception>
    internal static Plan LayOut(Specification specification, IReadOnlyList<Scenario> scenarios, IReadOnlyList<string> notes)
    {
        var methods = specification.Methods.Select(MethodRegistry.Get).ToList();
        var count = scenarios.Sum(scenario => (long)methods.Sum(method => method.GetRows(scenario).Count()) * scenario.Seeds.Count);
        if (count > MaxTrials)
            throw new InputException($"The specification unfolds to {count} trials; at most {MaxTrials} are allowed.");

        var trials = new List<Trial>();
        foreach (var scenario in scenarios)
        {
            var stages = new ScenarioStages(scenario);
            foreach (var row in methods.SelectMany(method => method.GetRows(scenario)))
            {
                foreach (var seed in scenario.Seeds)
                    trials.Add(new Trial(trials.Count + 1, scenario, row, seed, row.Method.CreateStages(stages, row, seed)));
            }
        }
        return new Plan(specification, scenarios, trials, [.. notes.Distinct()]);
    }

    private static Plan Build(Specification specification, ScenarioLoader loader)
    {
        var scenarios = loader.Load();
        return LayOut(specification, scenarios, loader.Notes);
    }
}
