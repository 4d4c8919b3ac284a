using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>Base of methods that start from one source: a row for each source, and their role in the comparison.</summary>
internal abstract class SingleSourceMethod : IMethod
{
    /// <inheritdoc />
    public abstract string Name { get; }

    /// <inheritdoc />
    public virtual MethodRole Role => MethodRole.SingleSource;

    /// <inheritdoc />
    public IEnumerable<MethodRow> GetRows(Scenario scenario) =>
        scenario.Sources.Select(source => new MethodRow(this, source.Name));

    /// <inheritdoc />
    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed)
    {
        var source = stages.Scenario.Sources.First(source => source.Name == row.Source);
        return CreateStages(stages, row, source.Stage, seed);
    }

    /// <param name="source">The stage that provides the row's source model.</param>
    protected abstract TrialStages CreateStages(ScenarioStages stages, MethodRow row, Stage source, ulong seed);
}
