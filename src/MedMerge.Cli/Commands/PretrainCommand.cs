using System.CommandLine;
using System.Globalization;
using System.Numerics;
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

/// <summary><c>medmerge pretrain</c>: makes a source model by training from scratch on a data set.</summary>
internal static class PretrainCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var defaults = new FineTuneSettings();
        var data = new Option<string>("--data") { Description = $"A MedMNIST .npz file or phantom:NAME ({string.Join(", ", Phantoms.Names)}).", HelpName = "DATA", Required = true };
        var architecture = new Option<string>("--architecture") { Description = $"One of {string.Join(", ", Architectures.Names)}.", HelpName = "NAME", Required = true };
        var width = new Option<double>("--width") { Description = "Multiplies the channels.", DefaultValueFactory = _ => 1 };
        var epochs = new Option<int>("--epochs") { Description = "Passes over the training images.", DefaultValueFactory = _ => defaults.Epochs };
        var batch = new Option<int>("--batch-size") { Description = "Images in a step.", DefaultValueFactory = _ => defaults.BatchSize };
        var rate = new Option<double>("--learning-rate") { Description = "AdamW's first rate.", DefaultValueFactory = _ => defaults.LearningRate };
        var seed = new Option<ulong>("--seed") { Description = "Of the weights and the batches." };
        var device = new Option<string>("--device") { Description = "cpu or cuda:N.", DefaultValueFactory = _ => "cpu" };
        var threads = new Option<int>("--threads") { Description = "libtorch's threads.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var target = new Option<string>("--output") { Description = "The model's file (safetensors).", HelpName = "FILE", Required = true };
        var store = CommonOptions.Store();
        var command = new Command("pretrain", "Makes a source model from a data set.") { data, architecture, width, epochs, batch, rate, seed, device, threads, target, store };
        command.SetAction(async (parsed, cancellation) =>
        {
            var problems = new List<string>();
            var training = new FineTuneSettings
            {
                Epochs = Within(parsed, epochs, 1, TrainingBounds.MaxEpochs, problems),
                BatchSize = Within(parsed, batch, TrainingBounds.MinBatchSize, TrainingBounds.MaxBatchSize, problems),
                LearningRate = Within(parsed, rate, 0, TrainingBounds.MaxRate, problems),
            };
            var settings = new ScenarioSettings
            {
                Device = parsed.GetValue(device)!,
                Threads = Within(parsed, threads, 1, DeviceThread.MaxThreads, problems),
            };
            if (!DeviceThread.IsName(settings.Device)) problems.Add($"--device is '{settings.Device}'; it must be 'cpu' or 'cuda:N'.");
            if (problems.Count > 0) throw new InputException(string.Join('\n', problems));
            var network = Architectures.Create(parsed.GetValue(architecture)!, parsed.GetValue(width));
            var pretraining = new Pretraining(new DatasetSource(parsed.GetValue(data)!), training, parsed.GetValue(seed));
            var stage = PretrainStages.Create(pretraining, network, settings, InputFile.Read);
            var file = parsed.GetValue(target)!;
            await TrainAsync(stage, settings, file, parsed.GetValue(store), output, error, cancellation);
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
        var line = new ProgressLine(error, isTerminal: !Console.IsErrorRedirected && error == Console.Error);
        var objects = await ObjectStores.OpenAsync(store, cancellation);
        var runner = new StageRunner(new StageStore(objects), thread, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        var model = await runner.OutputAsync(stage, (epoch, of) => line.Show("pretrain", epoch, of), cancellation);
        var evaluation = await runner.OutputAsync(new EvaluateStage(stage, stage.Target), (_, _) => { }, cancellation);
        line.End();
        await AtomicFile.WriteAsync(file, model[StageFiles.Model], overwrite: true, cancellation);
        var scores = Scores.Of(StageFiles.Read<HeldOutPredictions>(evaluation, StageFiles.Predictions).Test);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"Trained {stage.Target.Architecture.Title} on {stage.Target.Dataset.Title}: test macro F1 {100 * scores.MacroF1:0.0}, " +
            $"accuracy {100 * scores.Accuracy:0.0}, AUC {100 * scores.Auc:0.0}; written to '{file}'."));
    }

    /// <summary>An option's value; one out of bounds, or not a number at all, is noted.</summary>
    private static T Within<T>(ParseResult parsed, Option<T> option, T least, T most, List<string> problems) where T : INumber<T>
    {
        var value = parsed.GetValue(option)!;
        if (!(value >= least && value <= most)) problems.Add(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {value}; it must be from {least} to {most}."));
        return value;
    }
}
