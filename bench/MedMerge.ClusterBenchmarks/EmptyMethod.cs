using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Stages;

namespace MedMerge.ClusterBenchmarks;

/// <summary>A method whose trials compute nothing: what is left is what the cluster does for a trial.</summary>
internal sealed class EmptyMethod : IMethod
{
    public const string MethodName = "empty";

    public string Name => MethodName;

    public MethodRole Role => MethodRole.Baseline;

    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed) =>
        new(new EmptyStage(stages.Scenario.Name, seed), []);

    /// <summary>A stage that computes nothing; every trial has its own.</summary>
    private sealed record EmptyStage(string Scenario, ulong Seed) : Stage
    {
        public override string Name => "empty";

        public override IReadOnlyList<Stage> Inputs => [];

        protected override object Settings => new { Scenario, Seed };

        public override double Cost => 1;

        public override Task<StageOutput> ExecuteAsync(
            IReadOnlyList<StageOutput> inputs,
            StageContext context,
            CancellationToken cancellation) =>
            Task.FromResult(new StageOutput(new Dictionary<string, byte[]> { ["empty.json"] = StageFiles.Write(Seed) }));
    }
}
