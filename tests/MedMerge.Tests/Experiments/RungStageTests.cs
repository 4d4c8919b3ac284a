using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Tensors;
using MedMerge.Testing;

namespace MedMerge.Tests.Experiments;

/// <summary>A fine-tuning that stops at rungs and goes on.</summary>
public class RungStageTests
{
    [Theory]
    [InlineData("{ epochs: 5, batchSize: 8 }")]
    [InlineData("{ epochs: 5, batchSize: 16, shards: 2 }")]
    public async Task A_fine_tuning_in_parts_gives_the_same_bytes_as_one_at_a_time(string fineTune)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var specification = new SpecificationBuilder { Methods = "[medmerge]", FineTune = fineTune }.Read();
        var whole = Plan.Build(specification).Trials.Single();
        var parts = Plan.Build(specification with { Halving = new Halving(2, 1) }).Trials.Single();
        Assert.Equal(3, parts.Parts.Rungs.Count); // of 1, 2 and 4 epochs
        var store = new MemoryStageStore();
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var runner = new StageRunner(store, device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));

        var score = await runner.OutputAsync(parts.Parts.Rungs[0], (_, _) => { }, cancellation);
        Assert.InRange(StageFiles.Read<RungScore>(score, StageFiles.Score).Score!.Value, 0, 1);
        foreach (var trial in new[] { whole, parts }) await runner.OutputAsync(trial.Predictions, (_, _) => { }, cancellation);

        foreach (var role in new[] { OutputRole.Model, OutputRole.FineTuneHistory })
            Assert.Equal(await ReadAsync(whole, role), await ReadAsync(parts, role));
        Assert.NotEqual(whole.Predictions.Key, parts.Predictions.Key);

        async Task<byte[]> ReadAsync(Trial trial, OutputRole role)
        {
            var output = trial.FindOutput(role)!;
            return await store.GetFileAsync(output.Stage.Key, output.Artefact, cancellation);
        }
    }
}
