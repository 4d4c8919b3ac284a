using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Stages;
using MedMerge.Statistics;

namespace MedMerge.ClusterBenchmarks;

/// <summary>A method whose trials compute nothing: what is left is what the cluster does for a trial.</summary>
/// <param name="images">So many predictions of each trial are drawn.</param>
/// <param name="pause">How long a trial waits.</param>
internal sealed class EmptyMethod(string name, MethodRole role, int images, TimeSpan pause) : IMethod
{
    public string Name => name;

    public MethodRole Role => role;

    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed) =>
        new(new EmptyStage(stages.Scenario.Name, name, seed, images, pause), []);

    /// <summary>A stage that computes nothing; every trial has its own.</summary>
    private sealed record EmptyStage(string Scenario, string Method, ulong Seed, int Images, TimeSpan Pause) : Stage
    {
        public override string Name => "empty";

        public override IReadOnlyList<Stage> Inputs => [];

        protected override object Settings => new { Scenario, Method, Seed };

        public override double Cost => 1;

        public override async Task<StageOutput> ExecuteAsync(
            IReadOnlyList<StageOutput> inputs,
            StageContext context,
            CancellationToken cancellation)
        {
            if (Pause > TimeSpan.Zero) await Task.Delay(Pause, cancellation);
            var random = new Random((int)Seed + Method.Length);
            var predictions = new HeldOutPredictions(Draw(random), Draw(random));
            return new StageOutput(new Dictionary<string, byte[]> { [StageFiles.Predictions] = StageFiles.Write(predictions) });
        }

        private Predictions Draw(Random random)
        {
            var first = Enumerable.Range(0, Images).Select(_ => Math.Round(random.NextDouble(), 3)).ToList();
            var labels = Enumerable.Range(0, Images).Select(image => image % 2);
            return new Predictions(2, [.. first.SelectMany(p => new[] { p, 1 - p })], [.. labels]);
        }
    }
}
