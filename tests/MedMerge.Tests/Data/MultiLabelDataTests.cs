using MedMerge.Data;
using MedMerge.Data.Checks;
using MedMerge.Data.Formats;
using MedMerge.Models;
using MedMerge.Reporting;
using MedMerge.Testing;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace MedMerge.Tests.Data;

/// <summary>Data sets whose images may have several labels, or none.</summary>
public sealed class MultiLabelDataTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-labels-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>As ChestMNIST has them: [n, labels] of 0 and 1.</summary>
    [Fact]
    public void A_MedMNIST_file_with_columns_of_labels_is_read()
    {
        // Of three labels image i has those whose bits i has.
        var data = MedMnistReader.Read(NpzFile.Write(_folder, columns: 3, train: 8, label: (_, i) => (i / 3) >> (i % 3) & 1));

        Assert.True(data.IsMultiLabel);
        Assert.Equal(3, data.Classes);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], data.Train.Labels);
        Assert.Equal([1, 3, 5, 7], data.Find(data.Train, 0));
        Assert.Equal([4, 5, 6, 7], data.Find(data.Train, 2));
    }

    [Fact]
    public void Labels_that_are_not_yes_or_no_are_refused() => Refused(
        "train_labels has several columns, and values other than 0 and 1 in them",
        NpzFile.Write(_folder, columns: 3, label: (_, i) => i % 3));

    [Fact]
    public void A_label_that_no_training_image_has_is_refused() =>
        Refused("no training image has label 1", NpzFile.Write(_folder, columns: 2, label: (_, i) => i % 4 == 0 ? 1 : 0));

    [Fact]
    public void A_label_that_every_training_image_has_is_refused() =>
        Refused("every training image has label 1", NpzFile.Write(_folder, columns: 2, label: (_, i) => i % 2 == 1 ? 1 : i / 2 % 2));

    [Fact]
    public void A_split_whose_images_all_have_the_same_labels_is_refused() => Refused(
        "all images of the split 'val' have the same labels",
        NpzFile.Write(_folder, columns: 2, label: (split, i) => split == "val" ? i % 2 : i / 2 % 2));

    /// <summary>NIH ChestX-ray's own list, its names of columns and its way to say that there is nothing.</summary>
    [Fact]
    public void A_list_may_name_several_labels_for_an_image_or_none()
    {
        string[] findings = ["Effusion|Mass", "No Finding", "Mass", "", "Effusion", "Mass | Effusion"];
        var lines = Enumerable.Range(0, 60).Select(i => $"{i}.png,{findings[i % 6]},{i / 2}").ToList();
        for (var i = 0; i < 60; i++) Write($"{i}.png", 20 + i);
        File.WriteAllLines(Path.Combine(_folder, "list.csv"), ["Image Index,Finding Labels,Patient ID", .. lines]);

        var data = Load("list.csv", new ImageSettings { TestShare = 0.25, ValidationShare = 0.25 });

        Assert.True(data.IsMultiLabel);
        Assert.Equal(["Effusion", "Mass"], data.Info.ClassNames);
        foreach (var (_, split) in data.Splits)
        {
            // Every second image has each label, in every split as far as patients allow.
            foreach (var label in new[] { 0, 1 })
                Assert.InRange(data.Find(split, label).Count() / (double)split.Count, 0.35, 0.65);
            Assert.InRange(split.Labels.Count(set => set == 0) / (double)split.Count, 0.2, 0.5);
        }
        Assert.Equal(60, data.Splits.Sum(split => split.Split.Count));
    }

    /// <summary>Findings beside a class are remarks: the class is what is learned.</summary>
    [Fact]
    public void A_list_with_a_class_is_read_by_it_whatever_else_it_has()
    {
        for (var i = 0; i < 20; i++) Write($"{i}.png", 20 + i);
        var lines = Enumerable.Range(0, 20).Select(i => $"{i}.png,{i % 2},much|little,{60 + i}");
        File.WriteAllLines(Path.Combine(_folder, "list.csv"), ["path,label,findings,weight", .. lines]);

        var data = Load("list.csv", new ImageSettings());

        Assert.False(data.IsMultiLabel);
        Assert.Equal(["0", "1"], data.Info.ClassNames);
        Assert.Null(data.Train.Weights); // those of patients
    }

    [Fact]
    public void Labels_that_exclude_each_other_are_noted()
    {
        var data = MedMnistReader.Read(NpzFile.Write(_folder, side: 8, columns: 2, label: (_, i) => (i / 2 % 2) == (i % 2) ? 1 : 0));
        var notes = DatasetChecks.Run(data).Select(note => note.Text);
        Assert.Contains(notes, note => note.StartsWith("every image has exactly one label", StringComparison.Ordinal));
    }

    [Fact]
    public void A_packed_data_set_keeps_what_its_labels_are()
    {
        var data = Phantoms.Create("findings", train: 40, validation: 16, test: 16);
        var again = PackedDataset.Read(PackedDataset.Write(data), "x");
        Assert.True(again.IsMultiLabel);
        Assert.Equal(data.ContentHash, again.ContentHash);
        var asClasses = new ImageDataset(data.Info with { IsMultiLabel = false, Classes = 8 }, data.Train, data.Validation, data.Test);
        Assert.NotEqual(asClasses.ContentHash, data.ContentHash);
    }

    [Fact]
    public void A_subset_has_each_label_and_images_without_any()
    {
        var all = DatasetSource.Find("phantom:findings").Load(InputFile.Read);
        var few = (DatasetSource.Find("phantom:findings") with { TrainImages = 8 }).Load(InputFile.Read);
        Assert.Equal(8, few.Train.Count);
        Assert.All(Enumerable.Range(0, 3), label => Assert.InRange(few.Find(few.Train, label).Count(), 2, 6));
        Assert.Contains(0, few.Train.Labels);
        Assert.Equal(few.Train.GetImage(0), all.Train.GetImage(0), (a, b) => a.Span.SequenceEqual(b.Span));
    }

    [Fact]
    public void A_data_set_is_shown_with_the_images_of_each_label()
    {
        var table = DatasetTable.Render(Phantoms.Create("findings", train: 40, validation: 16, test: 16));
        Assert.Contains("3 labels, of which an image may have several", table, StringComparison.Ordinal);
        Assert.Matches(@"\| 0 +\| +20 \| +8 \| +8 \| +36 \|", table);
        Assert.Matches(@"\| none +\| +5 \| +2 \| +2 \| +9 \|", table);
        Assert.Matches(@"\| images +\| +40 \| +16 \| +16 \| +72 \|", table);
    }

    [Fact]
    public void A_models_file_says_that_its_logits_are_apart()
    {
        var metadata = new Dictionary<string, string>();
        ModelSignature.Of(Phantoms.Create("findings", train: 40, validation: 16, test: 16)).AddTo(metadata);
        Assert.Equal("multi_label_classification", metadata["problem_type"]);
        Assert.True(ModelSignature.Read(metadata)!.IsMultiLabel);
    }

    private static void Refused(string reason, string path) =>
        Assert.Contains(reason, Assert.Throws<InputException>(() => MedMnistReader.Read(path)).Message, StringComparison.Ordinal);

    private ImageDataset Load(string path, ImageSettings settings) =>
        (DatasetSource.Find(Path.Combine(_folder, path)) with { Images = settings }).Load(InputFile.Read);

    private void Write(string path, int value)
    {
        using var image = new Image<L8>(8, 8, new L8((byte)value));
        image[7, 7] = new L8(255);
        image.Save(Path.Combine(_folder, path));
    }
}
