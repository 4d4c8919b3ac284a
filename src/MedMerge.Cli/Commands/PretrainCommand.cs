using System.CommandLine;
using System.Globalization;
using MedMerge.Data;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Models;
using MedMerge.Statistics;
using MedMerge.Storage;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge pretrain</c>: trains a source model from scratch.</summary>
internal static class PretrainCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var options = new PretrainOptions();
        var command = new Command("pretrain", "Trains a source model from scratch on a data set.");
        foreach (var option in options.All) command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            var settings = options.ReadSettings(parsed, out var training);
            var network = Architectures.Create(parsed.GetValue(options.Architecture)!, parsed.GetValue(options.Width));
            var data = DataOptions.Find(parsed.GetValue(options.Data)!, parsed.GetValue(options.DataSettings));
            var pretraining = new Pretraining(data, training, parsed.GetValue(options.Seed));
            var stage = PretrainStages.Create(pretraining, data.Load(InputFile.Read), network, settings);
            var file = parsed.GetValue(options.Output)!;
            await TrainAsync(stage, settings, file, parsed.GetValue(options.Store), output, error, cancellation);
            return ExitCodes.Done;
        });
        return command;
    }

    private static async Task TrainAsync(
        FineTuneStage stage,
        ScenarioSettings settings,
        string file,
        string? store,
        TextWriter output,
        TextWriter error,
        CancellationToken cancellation)
    {
        await using var thread = new DeviceThread(settings.Device, settings.Threads);
        OutputFolder.CheckFile(file);
        var line = CommonOptions.CreateProgressLine(error);
        var objects = await ObjectStores.OpenAsync(store, cancellation);
        var runner = new StageRunner(
            new StageStore(objects),
            thread,
            (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        var model = await runner.OutputAsync(stage, (epoch, count) => line.Show("pretrain", epoch, count), cancellation);
        var evaluation = await runner.OutputAsync(new EvaluateStage(stage, stage.Target), (_, _) => { }, cancellation);
        line.End();
        await AtomicFile.WriteAsync(file, model[StageFiles.Model], overwrite: true, cancellation);
        var scores = Scores.Of(StageFiles.Read<HeldOutPredictions>(evaluation, StageFiles.Predictions).Test);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"Trained {stage.Target.Architecture.Title} on {stage.Target.Dataset.Title}: test macro F1 {100 * scores.MacroF1:0.0}, " +
            $"accuracy {100 * scores.Accuracy:0.0}, AUC {100 * scores.Auc:0.0}; written to '{file}'."));
    }
}
