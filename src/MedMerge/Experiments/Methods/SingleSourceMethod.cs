using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>What methods that start from one source have in common: a row for each, and their part as rivals of merging.</summary>
internal abstract class SingleSourceMethod : IMethod
{
    /// <inheritdoc />
    public abstract string Name { get; }

    /// <inheritdoc />
    public MethodRole Role => MethodRole.SingleSource;

    /// <inheritdoc />
    public IEnumerable<MethodRow> GetRows(Scenario scenario) => scenario.Sources.Select(source => new MethodRow(this, source.Name));

    /// <inheritdoc />
    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed) =>
        CreateStages(stages, row, stages.Scenario.Sources.First(source => source.Name == row.Source).Stage, seed);

    /// <param name="source">The stage that gives the row's source model.</param>
    protected abstract TrialStages CreateStages(ScenarioStages stages, MethodRow row, Stage source, ulong seed);
}
