using MedMerge.Data;

namespace MedMerge.Experiments.Specifications;

/// <summary>The settings of a data set, wherever a specification names one.</summary>
internal static class DatasetSettingTable
{
    private const int MinClasses = 2, MaxClasses = 10_000;
    private const double MinShare = 0.01, MaxShare = 0.45; // of validation and of test images

    /// <summary>How images become a data set.</summary>
    public static IReadOnlyList<Setting<ImageSettings>> Images { get; } =
    [
        new OptionalWholeNumberSetting<ImageSettings>(
            "size",
            "Height and width to which images are brought; without it their own, which must agree.",
            ImageDataset.MinSide,
            ImageDataset.MaxSide,
            settings => settings.Size,
            (settings, value) => settings with { Size = value }),
        new ChoiceSetting<ImageSettings, ImageFit>(
            "fit",
            "how an image that is not square becomes so: black beside it, its middle, or its proportions lost",
            new Dictionary<string, ImageFit>
            {
                ["pad"] = ImageFit.Pad,
                ["crop"] = ImageFit.Crop,
                ["stretch"] = ImageFit.Stretch,
            },
            settings => settings.Fit,
            (settings, value) => settings with { Fit = value }),
        new ChoiceSetting<ImageSettings, ImageColours>(
            "colours",
            "whether images become grey or RGB; by default RGB if any has colours",
            new Dictionary<string, ImageColours>
            {
                ["auto"] = ImageColours.Auto,
                ["grey"] = ImageColours.Grey,
                ["rgb"] = ImageColours.Rgb,
            },
            settings => settings.Colours,
            (settings, value) => settings with { Colours = value }),
        new NumberSetting<ImageSettings>(
            "validationShare",
            "the share of images that validate, where the data name no split",
            MinShare,
            MaxShare,
            settings => settings.ValidationShare,
            (settings, value) => settings with { ValidationShare = value }),
        new NumberSetting<ImageSettings>(
            "testShare",
            "the share of images that test, where the data name no split",
            MinShare,
            MaxShare,
            settings => settings.TestShare,
            (settings, value) => settings with { TestShare = value }),
        new WholeNumberSetting<ImageSettings>(
            "splitSeed",
            "decides which images, or groups of them, validate and test",
            0,
            int.MaxValue,
            settings => settings.SplitSeed,
            (settings, value) => settings with { SplitSeed = value }),
    ];

    /// <summary>What is taken from a data set.</summary>
    public static IReadOnlyList<Setting<DatasetSource>> All { get; } =
    [
        new OptionalWholeNumberSetting<DatasetSource>(
            "classes",
            "Read off the training labels where it is left out.",
            MinClasses,
            MaxClasses,
            source => source.Classes,
            (source, value) => source with { Classes = value }),
        new OptionalWholeNumberSetting<DatasetSource>(
            "trainImages",
            "Keep only that many training images, the classes in turns.",
            MinClasses,
            int.MaxValue,
            source => source.TrainImages,
            (source, value) => source with { TrainImages = value }),
        new OptionalWholeNumberSetting<DatasetSource>(
            "validationImages",
            "Keep only that many validation images, the classes in turns.",
            MinClasses,
            int.MaxValue,
            source => source.ValidationImages,
            (source, value) => source with { ValidationImages = value }),
        .. Images.Select(setting => setting.Within<DatasetSource>(
            key: null,
            source => source.Images,
            (source, images) => source with { Images = images })),
    ];
}
