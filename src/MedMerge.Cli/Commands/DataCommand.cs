using System.CommandLine;
using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Reporting;
using MedMerge.Storage;

namespace MedMerge.Cli.Commands;

/// <summary><c>medmerge data</c>: data sets as runs will see them, and the <see cref="CatalogueCommands">catalogue</see>.</summary>
internal static class DataCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var catalogue = new CatalogueCommands(output, error);
        return new Command("data", "Shows data sets, packs them, and gets public ones.")
        {
            CreateShow(output),
            CreatePack(output),
            catalogue.CreateList(),
            catalogue.CreateGet(),
            catalogue.CreateVerify(),
        };
    }

    private static Command CreateShow(TextWriter output)
    {
        var location = Location();
        var settings = DataOptions.Settings();
        var sheet = new Option<string?>("--sheet")
        {
            Description = "Write a picture with the first training images of each class.",
            HelpName = "FILE.png",
        };
        var command = new Command("show", "Prints classes, sizes and splits of a data set, and what is odd about it.")
        {
            location,
            settings,
            sheet,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var file = parsed.GetValue(sheet);
            if (file is not null) OutputFolder.CheckFile(file);
            var dataset = DataOptions.Find(parsed.GetValue(location)!, parsed.GetValue(settings)).Load(InputFile.Read);
            await output.WriteAsync(DatasetTable.Render(dataset));
            if (file is not null)
            {
                await AtomicFile.WriteAsync(file, ContactSheet.Draw(dataset), overwrite: true, cancellation);
                await output.WriteLineAsync($"The picture is in '{file}'.");
            }
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command CreatePack(TextWriter output)
    {
        var location = Location();
        var settings = DataOptions.Settings();
        var target = new Option<string>("--output") { Description = "The file to write.", HelpName = "FILE.packed", Required = true };
        var command = new Command("pack", "Writes a data set as one file, as nodes read it.") { location, settings, target };
        command.SetAction(async (parsed, cancellation) =>
        {
            var file = parsed.GetValue(target)!;
            if (!file.EndsWith(PackedFormat.Extension, StringComparison.Ordinal))
                throw new InputException($"--output '{file}' must end in {PackedFormat.Extension}, by which a specification knows it.");
            OutputFolder.CheckFile(file, [parsed.GetValue(location)!]);
            var dataset = DataOptions.Find(parsed.GetValue(location)!, parsed.GetValue(settings)).Load(InputFile.Read);
            await AtomicFile.WriteAsync(file, PackedDataset.Write(dataset), overwrite: true, cancellation);
            await output.WriteLineAsync($"{dataset.Title} is in '{file}'.");
            return ExitCodes.Done;
        });
        return command;
    }

    private static Argument<string> Location() => new("data")
    {
        Description = $"The data set: {DatasetFormats.All.Description}.",
        HelpName = "DATA",
    };
}
