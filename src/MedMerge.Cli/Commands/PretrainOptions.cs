using System.CommandLine;
using System.Globalization;
using System.Numerics;
using MedMerge.Data.Formats;
using MedMerge.Experiments.Specifications;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Cli.Commands;

/// <summary>The options of <c>medmerge pretrain</c>.</summary>
internal sealed class PretrainOptions
{
    private static readonly FineTuneSettings Defaults = new();

    public Option<string> Data { get; } = new("--data")
    {
        Description = $"The data set: {DatasetFormats.All.Description}.",
        HelpName = "DATA",
        Required = true,
    };

    public Option<string[]?> DataSettings { get; } = DataOptions.Settings();

    public Option<string> Architecture { get; } = new("--architecture")
    {
        Description = $"One of {string.Join(", ", Architectures.Names)}.",
        HelpName = "NAME",
        Required = true,
    };

    public Option<double> Width { get; } = new("--width")
    {
        Description = "Multiplies the number of channels.",
        DefaultValueFactory = _ => 1,
    };

    public Option<int> Epochs { get; } = new("--epochs")
    {
        Description = "Passes over the training images.",
        DefaultValueFactory = _ => Defaults.Epochs,
    };

    public Option<int> BatchSize { get; } = new("--batch-size")
    {
        Description = "Images in a step.",
        DefaultValueFactory = _ => Defaults.BatchSize,
    };

    public Option<double> LearningRate { get; } = new("--learning-rate")
    {
        Description = "AdamW's initial learning rate.",
        DefaultValueFactory = _ => Defaults.LearningRate,
    };

    public Option<ulong> Seed { get; } = new("--seed")
    {
        Description = "Seed of the initial weights and the batches.",
    };

    public Option<string> Device { get; } = new("--device")
    {
        Description = "cpu or cuda:N.",
        DefaultValueFactory = _ => "cpu",
    };

    public Option<int> Threads { get; } = new("--threads")
    {
        Description = "Number of libtorch threads.",
        DefaultValueFactory = _ => DeviceThread.DefaultThreads,
    };

    public Option<string> Output { get; } = new("--output")
    {
        Description = "The model's file (safetensors).",
        HelpName = "FILE",
        Required = true,
    };

    public Option<string?> Store { get; } = CommonOptions.Store();

    /// <summary>All options, in the order that the help lists them.</summary>
    public IReadOnlyList<Option> All =>
    [
        Data,
        DataSettings,
        Architecture,
        Width,
        Epochs,
        BatchSize,
        LearningRate,
        Seed,
        Device,
        Threads,
        Output,
        Store,
    ];

    /// <summary>Reads and checks the settings of the training.</summary>
    /// <returns>Device and threads.</returns>
    /// <exception cref="InputException">A value is out of range; the message lists every problem.</exception>
    public ScenarioSettings ReadSettings(ParseResult parsed, out FineTuneSettings training)
    {
        var problems = new List<string>();
        training = new FineTuneSettings
        {
            Epochs = ReadNumber(parsed, Epochs, 1, TrainingBounds.MaxEpochs, problems),
            BatchSize = ReadNumber(parsed, BatchSize, TrainingBounds.MinBatchSize, TrainingBounds.MaxBatchSize, problems),
            LearningRate = ReadNumber(parsed, LearningRate, 0, TrainingBounds.MaxRate, problems),
        };
        var settings = new ScenarioSettings
        {
            Device = parsed.GetValue(Device)!,
            Threads = ReadNumber(parsed, Threads, 1, DeviceThread.MaxThreads, problems),
        };
        if (!DeviceName.IsValid(settings.Device))
            problems.Add($"{Device.Name} is '{settings.Device}'; it must be {DeviceName.Forms}.");
        if (problems.Count > 0) throw new InputException(string.Join('\n', problems));
        return settings;
    }

    /// <summary>Reads a number and records a problem if it is out of range or NaN.</summary>
    private static T ReadNumber<T>(ParseResult parsed, Option<T> option, T min, T max, List<string> problems) where T : INumber<T>
    {
        var value = parsed.GetValue(option)!;
        var isInRange = value >= min && value <= max; // false for NaN
        if (!isInRange)
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {value}; it must be from {min} to {max}."));
        return value;
    }
}
